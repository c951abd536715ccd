import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScratch, openssl, type Scratch } from "../../test/openssl.ts";
import { makeLeaf, makeTrees } from "../../test/trees.ts";
import { zlint } from "../../test/zlint.ts";
import { newSerial } from "../x509/certificate.ts";
import { intermediates } from "./authority.ts";
import { leafContent } from "./leaf.ts";
import { makeServerCertificate } from "./server-certificate.ts";

const now = new Date("2030-06-01T12:00:00.678Z");
const issuingCa = makeTrees(now)["issuing-ca"];
const dayMs = 86_400_000;

let scratch: Scratch;
beforeAll(async () => {
  scratch = await openScratch();
});
afterAll(() => scratch[Symbol.asyncDispose]());

async function text(der: Buffer): Promise<string> {
  const path = await scratch.file("leaf.der", der);
  return (await openssl("x509", "-noout", "-text", "-inform", "DER", "-in", path)).replaceAll(/\s+/g, " ");
}

describe("a serial number", () => {
  test("is 16 octets, positive and never the same", async () => {
    const serials = Array.from({ length: 500 }, newSerial);
    for (const serial of serials) {
      expect(serial).toHaveLength(16);
      expect(serial[0]).toBeGreaterThanOrEqual(0x40);
      expect(serial[0]).toBeLessThan(0x80);
    }
    expect(new Set(serials.map((serial) => serial.toString("hex"))).size).toBe(500);
    expect(new X509Certificate(makeLeaf(issuingCa, { now })).serialNumber).toHaveLength(32);
  });
});

describe("a leaf's dates", () => {
  test("are whole seconds, backdated 5 minutes, and one second less than the days that were asked for", () => {
    const leaf = new X509Certificate(makeLeaf(issuingCa, { now, days: 46 }));
    expect(Date.parse(leaf.validFrom)).toBe(Date.parse("2030-06-01T11:55:00Z"));
    expect(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)).toBe(46 * dayMs - 1000);
  });

  test("end no later than the issuer's", () => {
    const late = new Date(Date.parse(issuingCa.certificate.validTo) - dayMs);
    expect(new X509Certificate(makeLeaf(issuingCa, { now: late })).validTo).toBe(
      issuingCa.certificate.validTo,
    );
  });

  test("are written as UTCTime until 2049 and as GeneralizedTime from 2050", async () => {
    const late = new Date("2049-12-20T00:00:00Z");
    const path = await scratch.file("late.der", makeLeaf(makeTrees(late)["issuing-ca"], { now: late }));
    const parsed = await openssl("asn1parse", "-inform", "DER", "-in", path);
    expect(parsed).toMatch(/UTCTIME\s+:491219235500Z/);
    expect(parsed).toMatch(/GENERALIZEDTIME\s+:20500203235459Z/);
  });
});

describe("a leaf", () => {
  test.each(["P-256", "P-384", "RSA"])(
    "with a key of %s is as the RFCs have it, and zlint sees what is not",
    async (kind) => {
      const { privateKey: key } =
        kind === "RSA"
          ? generateKeyPairSync("rsa", { modulusLength: 2048 })
          : generateKeyPairSync("ec", { namedCurve: kind });
      expect(await zlint(makeLeaf(issuingCa, { now, key, sans: ["www.example", "192.0.2.7"] }))).toEqual([]);
      expect(await zlint(makeLeaf(issuingCa, { now, key, commonName: "", sans: [] }))).not.toEqual([]);
    },
  );
});

describe("a leaf's extensions", () => {
  test("say what an ECDSA key may do", async () => {
    const shown = await text(makeLeaf(issuingCa, { now }));
    expect(shown).toContain("X509v3 Key Usage: critical Digital Signature X509v3");
    expect(shown).toContain("X509v3 Extended Key Usage: TLS Web Server Authentication X509v3");
    expect(shown).not.toContain("X509v3 Basic Constraints");
  });

  test("let only an RSA key encipher keys", async () => {
    const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    expect(await text(makeLeaf(issuingCa, { now, key }))).toContain(
      "X509v3 Key Usage: critical Digital Signature, Key Encipherment X509v3",
    );
  });

  test("have the names critically only where the subject is empty", async () => {
    expect(await text(makeLeaf(issuingCa, { now }))).toContain("Alternative Name: DNS:www.example");
    expect(await text(makeLeaf(issuingCa, { now, commonName: "" }))).toContain(
      "Alternative Name: critical DNS:www.example",
    );
  });

  test("chain by key identifiers, and by the issuer's name to the byte", async () => {
    const leaf = new X509Certificate(makeLeaf(issuingCa, { now }));
    for (const ca of intermediates(issuingCa)) {
      const { certificate, parent } = ca;
      expect(leaf.checkIssued(certificate)).toBe(true);
      expect(parent && certificate.checkIssued(parent.certificate)).toBe(true);
    }
    const identifier = async (der: Buffer, which: string) =>
      new RegExp(`${which} Key Identifier: (?:keyid:)?([0-9A-F:]{59})`).exec(await text(der))?.[1];
    const authority = await identifier(leaf.raw, "Authority");
    expect(authority).toMatch(/^[0-9A-F]{2}(:[0-9A-F]{2}){19}$/);
    expect(authority).toBe(await identifier(issuingCa.der, "Subject"));
    expect(await identifier(leaf.raw, "Subject")).not.toBe(authority);
  });

  test("carry every kind of name as openssl reads it", async () => {
    const sans = ["*.example.com", "192.0.2.1", "2001:db8::1", "ops@example.com", "https://a.example/"];
    expect(await text(makeLeaf(issuingCa, { now, sans }))).toContain(
      "DNS:*.example.com, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:ops@example.com, URI:https://a.example/",
    );
  });
});

describe("a leaf's content", () => {
  test("is signed with the hash that fits the CA's key", async () => {
    expect(await text(makeLeaf(issuingCa, { now }))).toContain("Signature Algorithm: ecdsa-with-SHA256");
    expect(await text(issuingCa.der)).toContain("Signature Algorithm: ecdsa-with-SHA384");
  });

  test("has the subject's key and nothing else of the CSR", () => {
    const { spki, subject } = leafContent(issuingCa, {
      ...{ commonName: "", sans: [], usages: [], validitySeconds: 86_400, now, isRsa: false },
      spki: issuingCa.spki,
    });
    expect(spki).toEqual(issuingCa.spki);
    expect(subject).toHaveLength(0);
  });
});

describe("the control plane's own certificate", () => {
  test("lives for a week and is replaced at half of it", () => {
    const { cert, renewAt } = makeServerCertificate(makeTrees(now)["server-ca"], ["localhost"], now);
    const { validFrom, validTo } = new X509Certificate(cert);
    expect(Date.parse(validTo) - Date.parse(validFrom)).toBe(7 * dayMs - 1000);
    expect(renewAt.getTime()).toBe((Date.parse(validFrom) + Date.parse(validTo)) / 2);
  });

  test("has a new key each time", () => {
    const serverCa = makeTrees(now)["server-ca"];
    const [first, second] = [0, 1].map(() => makeServerCertificate(serverCa, ["localhost"], now));
    expect(first?.key).not.toBe(second?.key);
  });
});
