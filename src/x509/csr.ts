import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Attribute, type Extension, Extensions, type Name, SubjectPublicKeyInfo } from "@peculiar/asn1-x509";
import { nameOf } from "./certificate.ts";
import { sansOf, subjectAltName } from "./extensions.ts";
import {
  type KeyAlgorithm,
  keyAlgorithmOf,
  type Signer,
  signatureAlgorithm,
  signBytes,
  spkiOf,
} from "./keys.ts";
import { canonicalSet, NameError, parseSan, type San } from "./names.ts";
import { readPlainCsr } from "./plain-csr.ts";

const commonNameOid = "2.5.4.3";
const extensionRequestOid = "1.2.840.113549.1.9.14";
const allowedExtensions = new Set(["2.5.29.17", "2.5.29.15", "2.5.29.37", "2.5.29.19"]);
const basicConstraintsOid = "2.5.29.19";
const hashes = ["sha256", "sha384", "sha512"];

/** Thrown for a CSR that is refused; the message names the difference. */
export class CsrError extends Error {}

/** A CSR (RFC 2986) whose own signature was verified. */
export interface Csr {
  der: Buffer;
  /** DER of the SubjectPublicKeyInfo. */
  spki: Buffer;
  keyAlgorithm: KeyAlgorithm;
  commonName: string | null;
  sans: San[];
}

/** Reads a CSR and verifies that its sender holds the key. Throws CsrError. */
export function readCsr(der: Uint8Array): Csr {
  const before = known.get(der);
  if (before) return before;
  const csr = readPlainCsr(Buffer.from(der)) ?? readAnyCsr(der);
  known.set(csr.der, csr);
  return csr;
}

/** What was read before, by its `der`: on its way from the agent to the CA a CSR is asked for more than once. */
const known = new WeakMap<Uint8Array, Csr>();

/** The same for a CSR of any form. */
export function readAnyCsr(der: Uint8Array): Csr {
  const request = parse(der);
  const { certificationRequestInfo: info, certificationRequestInfoRaw: raw } = request;
  const spki = Buffer.from(AsnConvert.serialize(info.subjectPKInfo));
  const key = publicKey(spki);
  const keyAlgorithm = keyAlgorithmOf(key);
  if (!keyAlgorithm) throw new CsrError("the key is not one of ECDSA P-256 or P-384, RSA 2048, 3072 or 4096");
  if (!namesItsCurve(info.subjectPKInfo)) throw new CsrError("the CSR's key does not name its curve");
  // Under whichever hash its sender chose: the signature has to show no more than that the key is theirs.
  const isOwn =
    raw !== undefined &&
    hashes.some((hash) => verify(hash, new Uint8Array(raw), key, new Uint8Array(request.signature)));
  if (!isOwn) throw new CsrError("the CSR's signature was not made by its key");
  return {
    der: Buffer.from(der),
    spki,
    keyAlgorithm,
    commonName: commonNameOf(info.subject),
    sans: requestedSans(info),
  };
}

/** Refuses a CSR that asks for anything but these names under this kind of key. Throws CsrError. */
export function matchCsr(csr: Csr, expected: { sans: readonly string[]; keyAlgorithm: string }): void {
  const wanted = canonicalSet(expected.sans.map(parseSan));
  const asked = canonicalSet(csr.sans);
  const extra = asked.filter((name) => !wanted.includes(name));
  const missing = wanted.filter((name) => !asked.includes(name));
  if (extra.length > 0)
    throw new CsrError(`the CSR asks for ${extra.join(", ")}, which the certificate does not have`);
  if (missing.length > 0) throw new CsrError(`the CSR lacks ${missing.join(", ")}`);
  if (csr.commonName !== null && !isAmong(csr.commonName, wanted)) {
    throw new CsrError(`the CSR's common name "${csr.commonName}" is not one of the certificate's names`);
  }
  if (csr.keyAlgorithm !== expected.keyAlgorithm) {
    throw new CsrError(
      `the CSR's key is ${csr.keyAlgorithm}, the certificate wants ${expected.keyAlgorithm}`,
    );
  }
}

/** Makes a CSR, DER, for these names; the common name may be empty. */
export function makeCsr(key: Signer, commonName: string, sans: readonly San[]): Buffer {
  const attributes = new Attributes();
  if (sans.length > 0) {
    const extensions = AsnConvert.serialize(new Extensions([subjectAltName(sans, commonName === "")]));
    attributes.push(new Attribute({ type: extensionRequestOid, values: [extensions] }));
  }
  const info = new CertificationRequestInfo({
    version: 0,
    subject: nameOf(commonName),
    subjectPKInfo: AsnConvert.parse(spkiOf(key), SubjectPublicKeyInfo),
    attributes,
  });
  const request = new CertificationRequest({
    certificationRequestInfo: info,
    signatureAlgorithm: signatureAlgorithm(key),
    signature: Uint8Array.from(signBytes(key, Buffer.from(AsnConvert.serialize(info)))).buffer,
  });
  return Buffer.from(AsnConvert.serialize(request));
}

function parse(der: Uint8Array): CertificationRequest {
  try {
    return AsnConvert.parse(der, CertificationRequest);
  } catch {
    throw new CsrError("not a PKCS#10 certification request");
  }
}

function publicKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, type: "spki", format: "der" });
  } catch {
    throw new CsrError(
      "the CSR's public key cannot be read: unknown algorithm, or a point that is not on its curve",
    );
  }
}

/** Curves are named, never spelled out (RFC 5480, 2.1.1): the parameters are an object identifier. RSA's are NULL. */
function namesItsCurve({ algorithm: { parameters } }: SubjectPublicKeyInfo): boolean {
  return !parameters || [0x05, 0x06].includes(new Uint8Array(parameters)[0] ?? 0);
}

function commonNameOf(subject: Name): string | null {
  const attributes = subject.flatMap((rdn) => [...rdn]);
  if (attributes.length === 0) return null;
  const foreign = attributes.find(({ type }) => type !== commonNameOid);
  if (foreign)
    throw new CsrError(`the CSR's subject has an attribute that is no common name: ${foreign.type}`);
  const [only, second] = attributes;
  if (!only || second) throw new CsrError("the CSR's subject has more than one common name");
  const text = only.value.toString();
  if (text.includes("\0")) throw new CsrError("the CSR's common name has a NUL in it");
  if (text.length > 64) throw new CsrError("the CSR's common name is longer than 64 characters");
  return text;
}

function requestedSans(info: CertificationRequestInfo): San[] {
  const attributes = info.attributes.filter(({ type }) => type === extensionRequestOid);
  if (attributes.length > 1) throw new CsrError("the CSR has two extension requests");
  const [value, second] = attributes[0]?.values ?? [];
  if (!value) return [];
  if (second) throw new CsrError("the CSR has two lists of extensions");
  const extensions = parseExtensions(value);
  const ids = extensions.map(({ extnID }) => extnID);
  if (new Set(ids).size !== ids.length) throw new CsrError("the CSR has the same extension twice");
  const foreign = ids.find((id) => !allowedExtensions.has(id));
  if (foreign) throw new CsrError(`the CSR asks for the extension ${foreign}, which certctl does not issue`);
  const constraints = extensions.find(({ extnID }) => extnID === basicConstraintsOid);
  // DER of "cA TRUE": any BasicConstraints but the empty one asks to be a CA.
  if (constraints && constraints.extnValue.buffer.byteLength > 2)
    throw new CsrError("the CSR asks for a CA certificate");
  try {
    return sansOf(extensions);
  } catch (error) {
    throw new CsrError(
      error instanceof NameError ? `the CSR has ${error.message}` : "the CSR's extensions cannot be read",
    );
  }
}

function parseExtensions(value: ArrayBuffer): Extension[] {
  try {
    return [...AsnConvert.parse(value, Extensions)];
  } catch {
    throw new CsrError("the CSR's extensions cannot be read");
  }
}

function isAmong(commonName: string, wanted: readonly string[]): boolean {
  try {
    return canonicalSet([parseSan(commonName)]).every((name) => wanted.includes(name));
  } catch {
    return false;
  }
}
