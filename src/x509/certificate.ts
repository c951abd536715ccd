import { type KeyObject, randomBytes } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import type { Extension } from "@peculiar/asn1-x509";
import {
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  Extensions,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Time,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { sansOf } from "./extensions.ts";
import { isSignedBy, signatureAlgorithm, signBytes } from "./keys.ts";
import { canonicalSet, type San } from "./names.ts";

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
  return new Name([new RelativeDistinguishedName([attribute])]);
}

/** The bytes that the CA signs (RFC 5280, 4.1). */
export function tbsCertificate(content: CertificateContent, signer: KeyObject): Buffer {
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: Uint8Array.from(content.serial).buffer,
    signature: signatureAlgorithm(signer),
    issuer: content.issuer,
    validity: new Validity(),
    subject: content.subject,
    subjectPublicKeyInfo: AsnConvert.parse(content.spki, SubjectPublicKeyInfo),
    extensions: new Extensions([...content.extensions]),
  });
  tbs.validity.notBefore = new Time(content.notBefore);
  tbs.validity.notAfter = new Time(content.notAfter);
  return Buffer.from(AsnConvert.serialize(tbs));
}

/** Signs exactly these bytes and returns the certificate, DER. */
export function signCertificate(tbs: Uint8Array, signer: KeyObject): Buffer {
  const certificate = new Certificate({
    tbsCertificate: AsnConvert.parse(tbs, TBSCertificate),
    signatureAlgorithm: signatureAlgorithm(signer),
    signatureValue: Uint8Array.from(signBytes(signer, tbs)).buffer,
  });
  return Buffer.from(AsnConvert.serialize(certificate));
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
  const { tbsCertificate: tbs, tbsCertificateRaw: raw, signatureValue } = AsnConvert.parse(der, Certificate);
  if (raw === undefined) throw new IssuedWrongError("the signed certificate cannot be read back");
  const seconds = (time: Date) => Math.floor(time.getTime() / 1000);
  const sameSet = (names: readonly San[]) =>
    canonicalSet(names).join() === canonicalSet(expected.sans).join();
  const checks: [string, boolean][] = [
    ["content", Buffer.from(raw).equals(expected.tbs)],
    ["signature", isSignedBy(signer, new Uint8Array(raw), new Uint8Array(signatureValue))],
    ["public key", Buffer.from(AsnConvert.serialize(tbs.subjectPublicKeyInfo)).equals(expected.spki)],
    ["serial number", Buffer.from(tbs.serialNumber).equals(expected.serial)],
    ["subject alternative names", sameSet(sansOf(tbs.extensions ?? []))],
    ["notBefore", seconds(tbs.validity.notBefore.getTime()) === seconds(expected.notBefore)],
    ["notAfter", seconds(tbs.validity.notAfter.getTime()) === seconds(expected.notAfter)],
  ];
  const wrong = checks.find(([, isRight]) => !isRight);
  if (wrong) throw new IssuedWrongError(`the signed certificate has another ${wrong[0]} than was asked for`);
}
