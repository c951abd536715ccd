/**
 * The little of DER (X.690) that is on the way of every issuance: @peculiar/x509 takes a hundred times as long for it. Everything
 * else of X.509 is read and written by that library, and tests hold the two against each other.
 */

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** [n] EXPLICIT, or a constructed [n] IMPLICIT. */
export const constructed = (number: number): number => 0xa0 | number;
/** A primitive [n] IMPLICIT. */
export const primitive = (number: number): number => 0x80 | number;

/** One element: its tag, its length in the shortest form, its content. */
export function element(tag: number, ...content: Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...content]);
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) octets.unshift(rest & 0xff);
  return [0x80 | octets.length, ...octets];
}

const knownIds = new Map<string, Buffer>();

/** An object identifier by its dotted text. */
export function objectIdentifier(text: string): Buffer {
  const known = knownIds.get(text);
  if (known) return known;
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap(base128);
  const encoded = element(tags.objectIdentifier, Uint8Array.from(octets));
  knownIds.set(text, encoded);
  return encoded;
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    octets.unshift((rest % 128) | 0x80);
  return octets;
}

/** A positive integer, big-endian. */
export function integer(octets: Uint8Array): Buffer {
  const start = octets.findIndex((octet) => octet !== 0);
  const shortest = start < 0 ? Uint8Array.of(0) : octets.subarray(start);
  const isHigh = ((shortest[0] ?? 0) & 0x80) !== 0;
  return isHigh ? element(tags.integer, Uint8Array.of(0), shortest) : element(tags.integer, shortest);
}

export function bitString(octets: Uint8Array): Buffer {
  return element(tags.bitString, Uint8Array.of(0), octets);
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280, 4.1.2.5). Whole seconds. */
export function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;
  const isLate = date.getUTCFullYear() >= 2050;
  return element(
    isLate ? tags.generalizedTime : tags.utcTime,
    Buffer.from(isLate ? text : text.slice(2), "latin1"),
  );
}

/** Thrown for what is not DER, or not the DER that was expected. */
export class DerError extends Error {}

/** An element that was read: `raw` is all of it. */
export interface Element {
  tag: number;
  content: Buffer;
  raw: Buffer;
}

/** The elements that stand one after the other in these octets. Throws DerError. */
export function elements(octets: Buffer): Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < octets.length; ) {
    const next = read(octets, offset);
    found.push(next);
    offset += next.raw.length;
  }
  return found;
}

function read(octets: Buffer, offset: number): Element {
  const tag = octets[offset] ?? 0;
  if ((tag & 0x1f) === 0x1f) throw new DerError("a tag of more than one octet");
  let length = octets[offset + 1];
  let start = offset + 2;
  if (length === undefined) throw new DerError("an element without a length");
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 3) throw new DerError("a length that is indefinite or too long");
    if (start + count > octets.length) throw new DerError("a length that is cut off");
    length = octets.readUIntBE(start, count);
    start += count;
    if (length < 0x80 || length < 2 ** (8 * (count - 1)))
      throw new DerError("a length that is not in its shortest form");
  }
  const end = start + length;
  if (end > octets.length) throw new DerError("an element that is cut off");
  return { tag, content: octets.subarray(start, end), raw: octets.subarray(offset, end) };
}

/** The one element that these octets are, of this tag. Throws DerError. */
export function only(octets: Buffer, tag: number): Element {
  const [first, second] = elements(octets);
  if (!first || second || first.tag !== tag) throw new DerError("another element than was expected");
  return first;
}

/** The elements inside of one, which has to be of this tag. Throws DerError. */
export function childrenOf(element: Element | undefined, tag: number = tags.sequence): Element[] {
  if (element?.tag !== tag) throw new DerError("another element than was expected");
  return elements(element.content);
}

export const sequence = (...content: Uint8Array[]): Buffer => element(tags.sequence, ...content);
export const octetString = (octets: Uint8Array): Buffer => element(tags.octetString, octets);

export function integerOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return integer(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex"));
}

/** Whole seconds. */
export function generalizedTime(date: Date): Buffer {
  return element(
    tags.generalizedTime,
    Buffer.from(`${date.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`),
  );
}
