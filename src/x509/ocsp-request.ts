import { childrenOf, DerError, type Element, only, tags } from "./der.ts";
import { magnitude } from "./der-certificate.ts";

/** Which certificate is asked about. */
export interface CertId {
  /** DER, as it was sent: the answer repeats it. */
  raw: Buffer;
  hash: "sha1" | "sha256";
  issuerNameHash: Buffer;
  issuerKeyHash: Buffer;
  /** Upper-case hexadecimal. */
  serial: string;
}

export interface OcspRequest {
  /** At least one. */
  certIds: CertId[];
  /** The extension's value as it was sent, DER; null: none was sent. */
  nonce: Buffer | null;
}

const hashes: Readonly<Record<string, CertId["hash"]>> = {
  // 1.3.14.3.2.26 and 2.16.840.1.101.3.4.2.1, the content of the OBJECT IDENTIFIERs.
  "2b0e03021a": "sha1",
  "608648016503040201": "sha256",
};
const nonceOid = "2b0601050507300102";
const mostCertIds = 16;
const mostNonceOctets = 128;

/** Reads an OCSPRequest (RFC 6960, 4.1; nonces by RFC 9654). Signatures of requestors are not looked at. Throws DerError. */
export function readOcspRequest(der: Uint8Array): OcspRequest {
  const [tbs] = childrenOf(only(Buffer.from(der), tags.sequence));
  const fields = childrenOf(tbs);
  const list = fields.find(({ tag }) => tag === tags.sequence);
  const requests = childrenOf(list);
  if (requests.length === 0 || requests.length > mostCertIds)
    throw new DerError(`a request about ${requests.length} certificates`);
  const wrapped = fields.find(({ tag }) => tag === 0xa2);
  const extensions = wrapped ? childrenOf(only(wrapped.content, tags.sequence)) : [];
  return { certIds: requests.map(readCertId), nonce: readNonce(extensions) };
}

function readCertId(request: Element): CertId {
  const [id] = childrenOf(request);
  const [algorithm, nameHash, keyHash, serial] = childrenOf(id);
  const [name, parameters] = childrenOf(algorithm);
  const hash = hashes[name?.content.toString("hex") ?? ""];
  const areParametersNone = !parameters || parameters.raw.equals(Buffer.of(tags.null, 0));
  if (!id || name?.tag !== tags.objectIdentifier || !hash || !areParametersNone)
    throw new DerError("a CertID under a hash other than SHA-1 and SHA-256");
  const length = hash === "sha1" ? 20 : 32;
  if (octets(nameHash).length !== length || octets(keyHash).length !== length)
    throw new DerError("a CertID with hashes of the wrong length");
  return {
    raw: id.raw,
    hash,
    issuerNameHash: octets(nameHash),
    issuerKeyHash: octets(keyHash),
    serial: magnitude(serial).toString("hex").toUpperCase(),
  };
}

function readNonce(extensions: readonly Element[]): Buffer | null {
  let nonce: Buffer | null = null;
  for (const extension of extensions) {
    const [name, ...rest] = childrenOf(extension);
    const critical = rest[0]?.tag === tags.boolean ? rest[0].content : null;
    const value = octets(rest.at(-1));
    if (name?.content.toString("hex") !== nonceOid) {
      if (critical?.[0]) throw new DerError("a critical extension that is not known");
      continue;
    }
    const { length } = only(value, tags.octetString).content;
    if (nonce !== null || length < 1 || length > mostNonceOctets)
      throw new DerError("two nonces, or one that has not 1 to 128 octets");
    nonce = value;
  }
  return nonce;
}

function octets(found: Element | undefined): Buffer {
  if (found?.tag !== tags.octetString) throw new DerError("not an OCTET STRING");
  return found.content;
}
