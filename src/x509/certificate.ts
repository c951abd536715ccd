import { type KeyObject, randomBytes } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import type { Extension } from "@peculiar/asn1-x509";
import { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } from "@peculiar/asn1-x509";
import { bitString, constructed, DerError, element, integer, objectIdentifier, tags, time } from "./der.ts";
import { isSignedBy, type Signer, signatureAlgorithm, signBytes } from "./keys.ts";
import { canonicalSet, NameError, type San } from "./names.ts";
import { type ReadTbs, readCertificate, readTbs } from "./read-certificate.ts";

/** What a certificate is to say. Dates are whole seconds. */
export interface CertificateContent {
  /** 16 octets, see newSerial. */
  serial: Uint8Array;
  issuer: Name;
  subject: Name;
  notBefore: Date;
  notAfter: Date;
  /** DER of the subject's SubjectPublicKeyInfo. */
  spki: Uint8Array;
  extensions: readonly Extension[];
}

/** A positive, non-zero serial number of exactly 16 octets with 126 random bits (RFC 5280, 4.1.2.2). */
export function newSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** A serial number as certctl writes it everywhere: upper-case hexadecimal. */
export function serialText(serial: Uint8Array): string {
  return Buffer.from(serial).toString("hex").toUpperCase();
}

/** A subject of one common name, or the empty subject. */
export function nameOf(commonName: string): Name {
  if (commonName === "") return new Name();
  const attribute = new AttributeTypeAndValue({
    type: "2.5.4.3",
    value: new AttributeValue({ utf8String: commonName }),
  });
  const name = new Name([new RelativeDistinguishedName([attribute])]);
  const value = element(tags.utf8String, Buffer.from(commonName, "utf8"));
  const pair = element(tags.sequence, objectIdentifier("2.5.4.3"), value);
  knownNames.set(name, element(tags.sequence, element(tags.set, pair)));
  return name;
}

/** The bytes that the CA signs (RFC 5280, 4.1). */
export function tbsCertificate(content: CertificateContent, signer: Signer): Buffer {
  const { serial, issuer, notBefore, notAfter, subject, spki, extensions } = content;
  return element(
    tags.sequence,
    element(constructed(0), integer(Uint8Array.of(2))),
    integer(serial),
    algorithmDer(signer),
    nameDer(issuer),
    element(tags.sequence, time(notBefore), time(notAfter)),
    nameDer(subject),
    spki,
    element(constructed(3), element(tags.sequence, ...extensions.map(extensionDer))),
  );
}

/** Signs exactly these bytes and returns the certificate, DER. */
export function signCertificate(tbs: Uint8Array, signer: Signer): Buffer {
  return element(tags.sequence, tbs, algorithmDer(signer), bitString(signBytes(signer, tbs)));
}

const knownNames = new WeakMap<Name, Buffer>();

function nameDer(name: Name): Buffer {
  const known = knownNames.get(name);
  if (known) return known;
  const encoded = Buffer.from(AsnConvert.serialize(name));
  knownNames.set(name, encoded);
  return encoded;
}

function algorithmDer(signer: Signer): Buffer {
  const { algorithm, parameters } = signatureAlgorithm(signer);
  return element(
    tags.sequence,
    objectIdentifier(algorithm),
    ...(parameters ? [new Uint8Array(parameters)] : []),
  );
}

function extensionDer({ extnID, critical, extnValue }: Extension): Buffer {
  return element(
    tags.sequence,
    objectIdentifier(extnID),
    ...(critical ? [element(tags.boolean, Uint8Array.of(0xff))] : []),
    element(tags.octetString, new Uint8Array(extnValue.buffer)),
  );
}

/** Thrown when a certificate is not what it was to be. */
export class IssuedWrongError extends Error {}

/** What a certificate that was just signed must say. */
export interface IssuedExpectation {
  tbs: Uint8Array;
  spki: Uint8Array;
  serial: Uint8Array;
  /** Canonical names. */
  sans: readonly San[];
  notBefore: Date;
  notAfter: Date;
}

/** Checks a certificate that was just signed, DER. Throws IssuedWrongError naming what differs. */
export function checkIssued(der: Uint8Array, expected: IssuedExpectation, signer: KeyObject): void {
  const signed = readingBack(() => readCertificate(Buffer.from(der)));
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
  const sameSet = (names: readonly San[]) =>
    canonicalSet(names).join() === canonicalSet(expected.sans).join();
  const checks: [string, boolean][] = [
    ["content", signed.tbs.equals(expected.tbs)],
    ["signature", isSignedBy(signer, signed.tbs, signed.signature)],
    ["public key", signed.spki.equals(expected.spki)],
    ["serial number", signed.serial.equals(expected.serial)],
    ["subject alternative names", sameSet(signed.sans)],
    ["notBefore", seconds(signed.notBefore) === seconds(expected.notBefore)],
    ["notAfter", seconds(signed.notAfter) === seconds(expected.notAfter)],
  ];
  const wrong = checks.find(([, isRight]) => !isRight);
  if (wrong) throw new IssuedWrongError(`the signed certificate has another ${wrong[0]} than was asked for`);
}

/** What was recorded to be signed. Throws IssuedWrongError for what is no TBSCertificate. */
export function readRecord(tbs: Uint8Array): ReadTbs {
  return readingBack(() => readTbs(Buffer.from(tbs)));
}

function readingBack<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError || error instanceof NameError)
      throw new IssuedWrongError(`what is signed cannot be read back: ${error.message}`);
    throw error;
  }
}
