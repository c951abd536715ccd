import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScratch, openssl, type Scratch } from "../../test/openssl.ts";
import { makeCsr, matchCsr, readCsr } from "./csr.ts";
import { spkiOf } from "./keys.ts";
import { parseSan } from "./names.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = await openScratch();
});
afterAll(() => scratch[Symbol.asyncDispose]());

const makers: Record<string, () => KeyObject> = {
  "ECDSA-P256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  "ECDSA-P384": () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  "RSA-2048": () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  "RSA-3072": () => generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey,
};
const names = [
  "www.example",
  "*.shop.example",
  "192.0.2.7",
  "2001:db8::7",
  "ops@example.com",
  "spiffe://example.com/web",
];

describe.each(Object.entries(makers))("a CSR with an %s key", (keyAlgorithm, make) => {
  test("is read back as what it was made of, and matches it", () => {
    const key = make();
    const der = makeCsr(key, "www.example", names.map(parseSan));
    const csr = readCsr(der);
    expect(csr).toMatchObject({ der, spki: spkiOf(key), keyAlgorithm, commonName: "www.example" });
    expect(csr.sans.map(({ value }) => value)).toEqual(names);
    expect(() => matchCsr(csr, { sans: [...names].reverse(), keyAlgorithm })).not.toThrow();
  });

  test("is right in the eyes of openssl", async () => {
    const der = makeCsr(make(), "www.example", names.map(parseSan));
    const path = await scratch.file(`${keyAlgorithm}.csr`, der);
    const text = await openssl("req", "-verify", "-noout", "-text", "-inform", "DER", "-in", path);
    expect(text).toContain("self-signature verify OK");
    expect(text).toContain(
      "DNS:www.example, DNS:*.shop.example, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7, " +
        "email:ops@example.com, URI:spiffe://example.com/web",
    );
  });
});

describe("a CSR without a subject", () => {
  test("has its names in a critical extension", async () => {
    const der = makeCsr(makers["ECDSA-P256"]?.() as KeyObject, "", [parseSan("www.example")]);
    expect(readCsr(der)).toMatchObject({ commonName: null, sans: [{ type: "dns", value: "www.example" }] });
    const path = await scratch.file("empty.csr", der);
    const text = await openssl("req", "-noout", "-text", "-inform", "DER", "-in", path);
    expect(text).toContain("X509v3 Subject Alternative Name: critical");
  });

  test("may have no names at all", () => {
    const der = makeCsr(makers["ECDSA-P256"]?.() as KeyObject, "", []);
    expect(readCsr(der)).toMatchObject({ commonName: null, sans: [] });
  });
});

describe("a CSR that openssl made", () => {
  async function made(...options: string[]) {
    const [key, out] = [scratch.path("made.key"), scratch.path("made.csr")];
    await openssl("req", "-new", "-nodes", "-keyout", key, "-outform", "DER", "-out", out, ...options);
    return readCsr(await readFile(out));
  }
  const p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const p384 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];

  test.each([
    ["ECDSA-P256", p256],
    ["ECDSA-P384", p384],
    ["RSA-2048", ["-newkey", "rsa:2048"]],
    ["RSA-3072", ["-newkey", "rsa:3072"]],
  ])("with an %s key is read and matches", async (keyAlgorithm, options) => {
    const san = "subjectAltName=DNS:WWW.example,IP:2001:db8::7,email:ops@Example.com,URI:https://a.example/";
    const csr = await made(...options, "-subj", "/CN=www.example", "-addext", san);
    expect(csr).toMatchObject({ keyAlgorithm, commonName: "www.example" });
    const sans = ["www.example", "2001:db8::7", "ops@example.com", "https://a.example/"];
    expect(() => matchCsr(csr, { sans, keyAlgorithm })).not.toThrow();
  });

  test.each(["-sha256", "-sha384", "-sha512"])("and signed with %s is read", async (hash) => {
    for (const options of [p256, p384, ["-newkey", "rsa:2048"]]) {
      await expect(made(...options, hash, "-subj", "/")).resolves.toMatchObject({ sans: [] });
    }
  });

  test("with the usual extensions beside its names is read", async () => {
    const usual = ["basicConstraints=CA:FALSE", "keyUsage=digitalSignature", "extendedKeyUsage=serverAuth"];
    const extensions = ["subjectAltName=DNS:www.example", ...usual].flatMap((text) => ["-addext", text]);
    const csr = await made(...p256, "-subj", "/", ...extensions);
    expect(csr.sans).toEqual([{ type: "dns", value: "www.example" }]);
  });

  test("with nothing but a common name has no names", async () => {
    expect(await made(...p256, "-subj", "/CN=www.example")).toMatchObject({
      commonName: "www.example",
      sans: [],
    });
  });
});
