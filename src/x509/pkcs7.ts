const signedData = Buffer.from("06092a864886f70d010702", "hex");
const data = Buffer.from("06092a864886f70d010701", "hex");

/** Certificates, DER, as one PKCS #7 message without content and without a signature (RFC 2315, section 9.1). */
export function pkcs7(certificates: readonly Uint8Array[]): Buffer {
  const version = tagged(0x02, Buffer.of(1));
  const empty = tagged(0x31);
  const content = tagged(0x30, version, empty, tagged(0x30, data), tagged(0xa0, ...certificates), empty);
  return tagged(0x30, signedData, tagged(0xa0, content));
}

/** A value of this tag, its length in as few bytes as there can be (X.690, section 10.1). */
function tagged(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 128) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const length = Buffer.from(body.length.toString(16).padStart(8, "0"), "hex");
  const short = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.of(tag, 0x80 | short.length), short, body]);
}
