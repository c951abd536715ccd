import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  Certificate,
  Extension,
  Extensions,
  GeneralName,
  KeyIdentifier,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Time,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CertificateContent,
  nameOf,
  newSerial,
  signCertificate,
  tbsCertificate,
} from "./certificate.ts";
import { CsrError, makeCsr, readAnyCsr } from "./csr.ts";
import { DerError, elements, integer, objectIdentifier, time } from "./der.ts";
import {
  authorityKeyIdentifier,
  extendedKeyUsage,
  extendedKeyUsages,
  keyUsage,
  sansOf,
  subjectAltName,
  subjectKeyIdentifier,
} from "./extensions.ts";
import { signatureAlgorithm, spkiOf } from "./keys.ts";
import { parseSan, type San } from "./names.ts";
import { readPlainCsr } from "./plain-csr.ts";
import { readCertificate } from "./read-certificate.ts";

/** What certctl writes and reads by itself, held against @peculiar/x509. */

const keys: KeyObject[] = [
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
];
const key = fc.constantFrom(...keys);
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/).filter((text) => !/^..--/.test(text));
const dns = fc.tuple(label, label, fc.constantFrom("example", "test")).map((parts) => parts.join("."));
const san: fc.Arbitrary<San> = fc
  .oneof(
    dns,
    dns.map((name) => `*.${name}`),
    fc.ipV4(),
    fc.ipV6(),
    dns.map((name) => `ops@${name}`),
    dns.map((name) => `https://${name}/a`),
  )
  .map(parseSan);
const sans = fc.array(san, { minLength: 1, maxLength: 8 });
const commonName = fc.oneof(
  fc.constant(""),
  dns.filter((text) => text.length <= 64),
);
const seconds = fc
  .date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000));

function contentOf(
  names: San[],
  common: string,
  from: Date,
  until: Date,
  subject: KeyObject,
): CertificateContent {
  const spki = spkiOf(subject);
  return {
    serial: newSerial(),
    issuer: nameOf("certctl issuing ca"),
    subject: nameOf(common),
    notBefore: from,
    notAfter: until,
    spki,
    extensions: [
      keyUsage(128),
      extendedKeyUsages([extendedKeyUsage.serverAuth]),
      subjectAltName(names, common === ""),
      subjectKeyIdentifier(spki),
      authorityKeyIdentifier(spki),
    ],
  };
}

/** The same by the library's own writer. */
function byLibrary(content: CertificateContent, signer: KeyObject): Buffer {
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

describe("what is written", () => {
  test("is what @peculiar/x509 writes, whatever the content", () => {
    fc.assert(
      fc.property(
        sans,
        commonName,
        seconds,
        seconds,
        key,
        key,
        (names, common, from, until, subject, signer) => {
          const content = contentOf(names, common, from, until, subject);
          expect(tbsCertificate(content, signer).toString("hex")).toBe(
            byLibrary(content, signer).toString("hex"),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test("has the names and key identifiers as @peculiar/x509 writes them", () => {
    const other = (id: string, critical: boolean, value: object) =>
      new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
    const hex = (extension: Extension) => Buffer.from(AsnConvert.serialize(extension)).toString("hex");
    const fields = {
      dns: "dNSName",
      ip: "iPAddress",
      email: "rfc822Name",
      uri: "uniformResourceIdentifier",
    } as const;
    fc.assert(
      fc.property(sans, fc.boolean(), (names, isEmpty) => {
        const list = names.map(({ type, value }) => new GeneralName({ [fields[type]]: value }));
        expect(hex(subjectAltName(names, isEmpty))).toBe(
          hex(other("2.5.29.17", isEmpty, new SubjectAlternativeName(list))),
        );
      }),
    );
    for (const each of keys) {
      const written = subjectKeyIdentifier(spkiOf(each));
      const identifier = AsnConvert.parse(written.extnValue.buffer, SubjectKeyIdentifier);
      expect(hex(written)).toBe(hex(other("2.5.29.14", false, identifier)));
      const value = new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(identifier.buffer) });
      expect(hex(authorityKeyIdentifier(spkiOf(each)))).toBe(hex(other("2.5.29.35", false, value)));
    }
  });

  test.each([
    ["2.5.29.17", "0603551d11"],
    ["1.2.840.113549.1.9.14", "06092a864886f70d01090e"],
    ["1.3.6.1.5.5.7.1.24", "06082b06010505070118"],
  ])("has the object identifier %s as %s", (text, hex) => {
    expect(objectIdentifier(text).toString("hex")).toBe(hex);
  });

  test("has integers and times in their shortest form", () => {
    expect(integer(Buffer.from("0000ff", "hex")).toString("hex")).toBe("020200ff");
    expect(integer(Buffer.from("00", "hex")).toString("hex")).toBe("020100");
    expect(integer(Buffer.from("007f", "hex")).toString("hex")).toBe("02017f");
    expect(time(new Date("2049-12-31T23:59:59Z")).toString("latin1")).toContain("491231235959Z");
    expect(time(new Date("2050-01-01T00:00:00Z")).toString("latin1")).toContain("20500101000000Z");
  });
});

describe("what is read", () => {
  test("of a certificate is what @peculiar/x509 and node read", () => {
    fc.assert(
      fc.property(
        sans,
        commonName,
        seconds,
        seconds,
        key,
        key,
        (names, common, from, until, subject, signer) => {
          const der = signCertificate(
            tbsCertificate(contentOf(names, common, from, until, subject), signer),
            signer,
          );
          const [ours, theirs] = [readCertificate(der), AsnConvert.parse(der, Certificate)];
          const { tbsCertificate: tbs } = theirs;
          expect(ours.tbs).toEqual(Buffer.from(theirs.tbsCertificateRaw ?? new ArrayBuffer()));
          expect(ours.signature).toEqual(Buffer.from(theirs.signatureValue));
          expect(ours.serial).toEqual(Buffer.from(tbs.serialNumber));
          expect(ours.spki).toEqual(Buffer.from(AsnConvert.serialize(tbs.subjectPublicKeyInfo)));
          expect(ours.notBefore).toEqual(tbs.validity.notBefore.getTime());
          expect(ours.notAfter).toEqual(tbs.validity.notAfter.getTime());
          expect(ours.sans).toEqual(sansOf(tbs.extensions ?? []));
          expect(new X509Certificate(der).verify(createPublicKey(signer))).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("of a plain CSR is what @peculiar/x509 reads, and of one that was changed nothing that it does not", () => {
    const position = fc.tuple(fc.nat(2_000), fc.integer({ min: 1, max: 255 }));
    let plain = 0;
    fc.assert(
      fc.property(sans, commonName, key, fc.option(position, { freq: 1 }), (names, common, each, change) => {
        const der = makeCsr(each, common, names);
        if (change) {
          const at = change[0] % der.length;
          der[at] = (der[at] ?? 0) ^ change[1];
        }
        const quick = readPlainCsr(der);
        if (!change) expect(quick).not.toBeNull();
        if (!quick) return;
        plain += 1;
        expect(quick).toEqual(readAnyCsr(der));
      }),
      { numRuns: 600 },
    );
    expect(plain).toBeGreaterThan(200);
  });

  test("of a CSR that is wrong is left to the thorough reader, which says what is wrong", () => {
    const der = makeCsr(keys[0] as KeyObject, "a.example", [parseSan("a.example")]);
    for (let length = 0; length < der.length; length += 7) {
      const cut = der.subarray(0, length);
      expect(readPlainCsr(cut)).toBeNull();
      expect(() => readAnyCsr(cut)).toThrow(CsrError);
    }
  });

  test.each(["3081", "308000", "30820001ff", "308101ff", "3005ff", "1f0100", "30840000000100"])(
    "is nothing where it is no DER: %s",
    (hex) => {
      expect(() => elements(Buffer.from(hex, "hex"))).toThrow(DerError);
    },
  );
});
