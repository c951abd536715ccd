import { generateKeyPairSync } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate } from "@peculiar/asn1-x509";
import { describe, expect, test } from "vitest";
import {
  checkIssued,
  IssuedWrongError,
  nameOf,
  newSerial,
  serialText,
  signCertificate,
  tbsCertificate,
} from "./certificate.ts";
import { subjectAltName } from "./extensions.ts";
import { spkiOf } from "./keys.ts";
import { parseSan } from "./names.ts";

const newKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const [signer, subject] = [newKey(), newKey()];
const sans = [parseSan("www.example"), parseSan("192.0.2.1")];
const content = {
  serial: newSerial(),
  issuer: nameOf("Test CA"),
  subject: nameOf("www.example"),
  notBefore: new Date("2030-01-01T00:00:00Z"),
  notAfter: new Date("2030-02-01T00:00:00Z"),
  spki: spkiOf(subject.privateKey),
  extensions: [subjectAltName(sans, false)],
};
const tbs = tbsCertificate(content, signer.privateKey);
const der = signCertificate(tbs, signer.privateKey);
const expected = { ...content, tbs, sans };

describe("a certificate that was just signed", () => {
  test("passes when it says what it was to say", () => {
    expect(() => checkIssued(der, expected, signer.publicKey)).not.toThrow();
    expect(() => checkIssued(der, { ...expected, sans: sans.toReversed() }, signer.publicKey)).not.toThrow();
  });

  test("is signed over exactly the bytes that were recorded", () => {
    expect(Buffer.from(AsnConvert.parse(der, Certificate).tbsCertificateRaw ?? new ArrayBuffer())).toEqual(
      tbs,
    );
  });

  const other = tbsCertificate({ ...content, serial: newSerial() }, signer.privateKey);
  test.each([
    ["content", { tbs: other }],
    ["public key", { spki: spkiOf(newKey().privateKey) }],
    ["serial number", { serial: newSerial() }],
    ["subject alternative names", { sans: sans.slice(1) }],
    ["subject alternative names", { sans: [...sans, parseSan("more.example")] }],
    ["notBefore", { notBefore: new Date(content.notBefore.getTime() - 1000) }],
    ["notAfter", { notAfter: new Date(content.notAfter.getTime() + 1000) }],
  ])("is refused with another %s", (what, changes) => {
    const check = () => checkIssued(der, { ...expected, ...changes }, signer.publicKey);
    expect(check).toThrow(IssuedWrongError);
    expect(check).toThrow(`another ${what} than was asked for`);
  });

  test("is refused when another key signed it", () => {
    const forged = signCertificate(tbs, newKey().privateKey);
    expect(() => checkIssued(forged, expected, signer.publicKey)).toThrow("another signature");
  });
});

test("a serial number is written in upper-case hexadecimal", () => {
  expect(serialText(Uint8Array.of(0x40, 0x0a, 0xff))).toBe("400AFF");
});
