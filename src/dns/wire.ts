/** The parts of DNS messages (RFC 1035, 4.1; RFC 2136) that have to be written octet by octet. */

const opcodeUpdate = 5;
export const classes = { IN: 1, NONE: 254, ANY: 255 } as const;
export const types = { SOA: 6, TXT: 16, TSIG: 250 } as const;

/** A name without compression, in the canonical lower case. */
export function encodeName(name: string): Buffer {
  const labels = name
    .toLowerCase()
    .replace(/\.$/, "")
    .split(".")
    .filter((label) => label !== "");
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, "latin1");
    if (bytes.length > 63) throw new Error(`a label of ${name} is longer than 63 octets`);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  return Buffer.concat([...parts, Buffer.of(0)]);
}

export function encodeRecord(
  name: string,
  type: number,
  recordClass: number,
  ttl: number,
  data: Buffer,
): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(recordClass, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodeName(name), fixed, data]);
}

/** A text of at most 255 octets as the data of a TXT record. */
export function textData(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** A request to change records of a zone (RFC 2136, 2), without a signature. */
export function encodeUpdate(id: number, zone: string, changes: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(opcodeUpdate << 11, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(changes.length, 8);
  const section = Buffer.alloc(4);
  section.writeUInt16BE(types.SOA, 0);
  section.writeUInt16BE(classes.IN, 2);
  return Buffer.concat([header, encodeName(zone), section, ...changes]);
}

/** Where the last record of a message begins; null: it has none. Throws for a message that ends too early. */
export function lastRecordAt(message: Buffer): { at: number; type: number; data: Buffer } | null {
  let at = 12;
  const counts = [4, 6, 8, 10].map((offset) => message.readUInt16BE(offset));
  for (let index = 0; index < (counts[0] ?? 0); index += 1) at = skipName(message, at) + 4;
  let last: { at: number; type: number; data: Buffer } | null = null;
  for (let left = counts.slice(1).reduce((sum, count) => sum + count, 0); left > 0; left -= 1) {
    const fixed = skipName(message, at);
    const length = message.readUInt16BE(fixed + 8);
    const end = fixed + 10 + length;
    last = { at, type: message.readUInt16BE(fixed), data: message.subarray(fixed + 10, end) };
    at = end;
  }
  return last;
}

/** The offset behind a name. */
export function skipName(message: Buffer, start: number): number {
  for (let at = start; ; ) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += length + 1;
  }
}
