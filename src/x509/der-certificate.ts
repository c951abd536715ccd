import { childrenOf, DerError, type Element, only, tags } from "./der.ts";

/** Parts of a certificate as their octets stand in it: others' signatures and hashes are over these, not over a re-encoding. */
export interface CertificateParts {
  tbs: Buffer;
  /** Without a leading zero octet. */
  serial: Buffer;
  issuer: Buffer;
  subject: Buffer;
  spki: Buffer;
  signature: Buffer;
}

/** Throws DerError. */
export function partsOf(der: Uint8Array): CertificateParts {
  const [tbs, , signature] = childrenOf(only(Buffer.from(der), tags.sequence));
  const fields = childrenOf(tbs);
  // The version stands first, except in certificates of version 1.
  const [serial, , issuer, , subject, spki] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
  return {
    tbs: required(tbs).raw,
    serial: magnitude(serial),
    issuer: required(issuer).raw,
    subject: required(subject).raw,
    spki: required(spki).raw,
    signature: required(signature).content.subarray(1),
  };
}

/** The octets of a positive INTEGER, without the zero that keeps it positive. */
export function magnitude(found: Element | undefined): Buffer {
  if (found?.tag !== tags.integer || found.content.length === 0) throw new DerError("not an INTEGER");
  return found.content.length > 1 && found.content[0] === 0 ? found.content.subarray(1) : found.content;
}

/** The BIT STRING of a SubjectPublicKeyInfo: what key identifiers and OCSP hash. */
export function keyBitsOf(spki: Uint8Array): Buffer {
  const [, bits] = childrenOf(only(Buffer.from(spki), tags.sequence));
  if (bits?.tag !== tags.bitString) throw new DerError("not a SubjectPublicKeyInfo");
  return bits.content.subarray(1);
}

function required(found: Element | undefined): Element {
  if (!found) throw new DerError("a certificate that breaks off");
  return found;
}
