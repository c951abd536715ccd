import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  Attribute,
  AttributeTypeAndValue,
  AttributeValue,
  Extension,
  Extensions,
  GeneralName,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
} from "@peculiar/asn1-x509";
import { describe, expect, test } from "vitest";
import { openScratch, openssl } from "../../test/openssl.ts";
import { CsrError, makeCsr, matchCsr, readCsr } from "./csr.ts";
import { basicConstraints, subjectAltName } from "./extensions.ts";
import { signatureAlgorithm, signBytes, spkiOf } from "./keys.ts";
import { parseSan } from "./names.ts";

const extensionRequest = "1.2.840.113549.1.9.14";
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const san = subjectAltName([parseSan("www.example")], false);

function subject(...attributes: [type: string, text: string][]): Name {
  return new Name(
    attributes.map(([type, utf8String]) => {
      const value = new AttributeValue({ utf8String });
      return new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value })]);
    }),
  );
}

/** Signs whatever it is given: what makeCsr would never make. */
function craft(parts: {
  name?: Name;
  attributes?: Attribute[];
  key?: KeyObject;
  signer?: KeyObject;
}): Buffer {
  const { name = new Name(), attributes = [requested(san)], key = p256, signer = key } = parts;
  const info = new CertificationRequestInfo({
    version: 0,
    subject: name,
    subjectPKInfo: AsnConvert.parse(spkiOf(key), SubjectPublicKeyInfo),
    attributes: new Attributes(attributes),
  });
  const request = new CertificationRequest({
    certificationRequestInfo: info,
    signatureAlgorithm: signatureAlgorithm(key),
    signature: Uint8Array.from(signBytes(signer, Buffer.from(AsnConvert.serialize(info)))).buffer,
  });
  return Buffer.from(AsnConvert.serialize(request));
}

function requested(...extensions: Extension[]): Attribute {
  return new Attribute({
    type: extensionRequest,
    values: [AsnConvert.serialize(new Extensions(extensions))],
  });
}

function sanOf(...names: GeneralName[]): Attribute {
  const extnValue = new OctetString(AsnConvert.serialize(new SubjectAlternativeName(names)));
  return requested(new Extension({ extnID: "2.5.29.17", extnValue }));
}

function refusal(der: Uint8Array): string {
  try {
    readCsr(der);
  } catch (error) {
    expect(error).toBeInstanceOf(CsrError);
    return (error as Error).message;
  }
  throw new Error("the CSR was not refused");
}

const commonName = "2.5.4.3";
const organization = "2.5.4.10";

test("what is crafted here is accepted where nothing is wrong with it", () => {
  expect(readCsr(craft({ name: subject([commonName, "www.example"]) }))).toMatchObject({
    commonName: "www.example",
    sans: [{ type: "dns", value: "www.example" }],
  });
});

describe("a CSR is refused for its subject", () => {
  test("with two common names", () => {
    const name = subject([commonName, "www.example"], [commonName, "www.example"]);
    expect(refusal(craft({ name }))).toBe("the CSR's subject has more than one common name");
  });

  test("with another attribute, alone or beside the common name", () => {
    const problem = "the CSR's subject has an attribute that is no common name: 2.5.4.10";
    expect(refusal(craft({ name: subject([organization, "Acme"]) }))).toBe(problem);
    const both = subject([organization, "Acme"], [commonName, "www.example"]);
    expect(refusal(craft({ name: both }))).toBe(problem);
  });

  test("with two attributes in one name", () => {
    const attributes = [commonName, organization].map(
      (type) => new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: "x" }) }),
    );
    const name = new Name([new RelativeDistinguishedName(attributes)]);
    expect(refusal(craft({ name }))).toContain("2.5.4.10");
  });

  test("with a common name of more than 64 characters", () => {
    const name = subject([commonName, `${"a".repeat(60)}.example`]);
    expect(refusal(craft({ name }))).toBe("the CSR's common name is longer than 64 characters");
  });

  test("with a NUL in the common name", () => {
    const name = subject([commonName, "www.example\0.evil.example"]);
    expect(refusal(craft({ name }))).toBe("the CSR's common name has a NUL in it");
  });
});

describe("a CSR is refused for its extensions", () => {
  test("with one that certctl does not issue", () => {
    const policies = new Extension({
      extnID: "2.5.29.32",
      extnValue: new OctetString(Uint8Array.of(0x30, 0).buffer),
    });
    expect(refusal(craft({ attributes: [requested(san, policies)] }))).toBe(
      "the CSR asks for the extension 2.5.29.32, which certctl does not issue",
    );
  });

  test("with one that is there twice", () => {
    expect(refusal(craft({ attributes: [requested(san, san)] }))).toBe(
      "the CSR has the same extension twice",
    );
  });

  test("with two requests for extensions", () => {
    expect(refusal(craft({ attributes: [requested(san), requested(san)] }))).toBe(
      "the CSR has two extension requests",
    );
  });

  test("with two lists in one request", () => {
    const { values } = requested(san);
    const twice = new Attribute({ type: extensionRequest, values: [...values, ...values] });
    expect(refusal(craft({ attributes: [twice] }))).toMatch(/two lists|two extension requests/);
  });

  test("with CA:TRUE", () => {
    const attributes = [requested(san, basicConstraints())];
    expect(refusal(craft({ attributes }))).toBe("the CSR asks for a CA certificate");
  });

  test("that cannot be read", () => {
    const garbage = new Attribute({ type: extensionRequest, values: [Uint8Array.of(0x04, 1, 7).buffer] });
    expect(refusal(craft({ attributes: [garbage] }))).toBe("the CSR's extensions cannot be read");
    const extension = new Extension({
      extnID: "2.5.29.17",
      extnValue: new OctetString(Uint8Array.of(0x04, 1, 7).buffer),
    });
    expect(refusal(craft({ attributes: [requested(extension)] }))).toBe(
      "the CSR's extensions cannot be read",
    );
  });
});

describe("a CSR is refused for its names", () => {
  test.each([
    ["a NUL", "www.example\0.evil"],
    ["an underscore", "under_score.example"],
    ["an address in place of a name", "192.0.2.1"],
    ["a URI in place of a name", "https://www.example"],
    ["a wildcard over a whole domain", "*.com"],
  ])("with %s", (_what, dNSName) => {
    expect(refusal(craft({ attributes: [sanOf(new GeneralName({ dNSName }))] }))).toContain(dNSName);
  });

  test("of a kind that certctl does not issue", () => {
    const names = [new GeneralName({ registeredID: "1.2.3.4" })];
    expect(refusal(craft({ attributes: [sanOf(...names)] }))).toContain("is no DNS name, IP address, e-mail");
  });
});

describe("a CSR is refused for its key", () => {
  const wrongKey = "the key is not one of ECDSA P-256 or P-384, RSA 2048, 3072 or 4096";

  test("on another curve", () => {
    const key = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey;
    expect(refusal(craft({ key }))).toBe(wrongKey);
  });

  test("of RSA with 1024 bits", () => {
    const key = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
    expect(refusal(craft({ key }))).toBe(wrongKey);
  });

  test("of RSA with the exponent 3", () => {
    const key = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 }).privateKey;
    expect(refusal(craft({ key }))).toBe(wrongKey);
  });

  test("of another kind", async () => {
    await using scratch = await openScratch();
    const [key, out] = [scratch.path("key"), scratch.path("csr")];
    const options = ["-nodes", "-keyout", key, "-outform", "DER", "-out", out, "-subj", "/"];
    await openssl("req", "-new", "-newkey", "ed25519", ...options);
    expect(refusal(await readFile(out))).toBe(wrongKey);
  });

  test("on a curve that is spelled out instead of named", async () => {
    await using scratch = await openScratch();
    const [key, out] = [scratch.path("key"), scratch.path("csr")];
    const curve = ["-name", "prime256v1", "-param_enc", "explicit"];
    await openssl("ecparam", ...curve, "-genkey", "-noout", "-out", key);
    await openssl("req", "-new", "-key", key, "-subj", "/", "-outform", "DER", "-out", out);
    expect(refusal(await readFile(out))).toBe("the CSR's key does not name its curve");
  });

  test("with a point that is not on its curve", () => {
    const der = craft({});
    const point = spkiOf(p256).subarray(-64);
    der.fill(0x5a, der.indexOf(point), der.indexOf(point) + 64);
    expect(refusal(der)).toContain("a point that is not on its curve");
  });

  test("when another key signed", () => {
    const signer = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    expect(refusal(craft({ signer }))).toBe("the CSR's signature was not made by its key");
  });

  test("when a bit of it was changed", () => {
    const der = craft({});
    const at = der.indexOf("www.example");
    der[at] = (der[at] ?? 0) ^ 1;
    expect(refusal(der)).toBe("the CSR's signature was not made by its key");
  });
});

describe("a CSR does not match", () => {
  const csr = (names: string[], name = "") => readCsr(makeCsr(p256, name, names.map(parseSan)));
  const wanted = { sans: ["www.example", "192.0.2.1"], keyAlgorithm: "ECDSA-P256" };

  test("with a name more", () => {
    const asked = csr(["www.example", "192.0.2.1", "more.example"]);
    expect(() => matchCsr(asked, wanted)).toThrow(
      new CsrError("the CSR asks for dns:more.example, which the certificate does not have"),
    );
  });

  test("with a name less", () => {
    expect(() => matchCsr(csr(["www.example"]), wanted)).toThrow(new CsrError("the CSR lacks ip:192.0.2.1"));
  });

  test("with a wildcard in place of a name", () => {
    expect(() => matchCsr(csr(["*.www.example", "192.0.2.1"]), wanted)).toThrow("asks for dns:*.www.example");
  });

  test("with a common name that is none of its names", () => {
    const sans = ["www.example", "192.0.2.1"];
    for (const name of ["other.example", "Some Company"]) {
      expect(() => matchCsr(csr(sans, name), wanted)).toThrow(
        new CsrError(`the CSR's common name "${name}" is not one of the certificate's names`),
      );
    }
    expect(() => matchCsr(csr(sans, "WWW.example"), wanted)).not.toThrow();
    expect(() => matchCsr(csr(sans, "192.0.2.1"), wanted)).not.toThrow();
  });

  test("with a key of another kind", () => {
    const asked = csr(["www.example", "192.0.2.1"]);
    expect(() => matchCsr(asked, { ...wanted, keyAlgorithm: "RSA-2048" })).toThrow(
      new CsrError("the CSR's key is ECDSA-P256, the certificate wants RSA-2048"),
    );
  });
});

test("what is no CSR at all is refused", () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from("hello"), spkiOf(p256)]) {
    expect(refusal(bytes)).toBe("not a PKCS#10 certification request");
  }
});
