import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openScratch, openssl } from "../../test/openssl.ts";
import { certificatePem, makeTrees } from "../../test/trees.ts";
import { spkiOf } from "./keys.ts";
import { fromPem, pem } from "./pem.ts";
import { caPin, joinString, parseJoin } from "./pin.ts";

const pin = `sha256:${"0a".repeat(32)}`;
const join = { server: new URL("https://certctl.example:8443/"), token: `jt-one_${"_-".repeat(21)}x`, pin };

describe("a CA pin", () => {
  test("is what openssl makes of the CA's public key", async () => {
    await using scratch = await openScratch();
    const root = makeTrees()["system-root"];
    const certificate = await scratch.file("root.pem", certificatePem(root.der));
    const spki = scratch.path("spki.der");
    const key = await scratch.file("key.pem", await openssl("x509", "-in", certificate, "-noout", "-pubkey"));
    await openssl("pkey", "-pubin", "-in", key, "-outform", "DER", "-out", spki);
    const digest = await openssl("dgst", "-sha256", "-r", spki);
    expect(caPin(root.spki)).toBe(`sha256:${digest.split(" ")[0]}`);
  });

  test("is another for another key", () => {
    const pins = [0, 1].map(() => caPin(spkiOf(generateKeyPairSync("ed25519").publicKey)));
    expect(new Set(pins).size).toBe(2);
  });
});

describe("a join string", () => {
  test("is read back as it was made", () => {
    expect(parseJoin(joinString(join))).toEqual(join);
  });

  test("keeps the secret out of what is sent to a server", () => {
    const url = new URL(joinString(join));
    expect(url.hash).toContain(join.token);
    url.hash = "";
    expect(url.href).toBe("https://certctl.example:8443/");
  });
});

describe("PEM", () => {
  const der = Buffer.from(Array.from({ length: 200 }, (_, index) => index));

  test("has lines of 64 characters and is read back", () => {
    const text = pem("CERTIFICATE", der);
    expect(text.split("\n").every((line) => line.length <= 64)).toBe(true);
    expect(fromPem("CERTIFICATE", text)).toEqual([der]);
  });

  test("is read block by block, whatever stands between them", () => {
    const text = `${pem("CERTIFICATE", der)}\r\nhello\r\n${pem("CERTIFICATE REQUEST", der)}${pem("CERTIFICATE", der)}`;
    expect(fromPem("CERTIFICATE", text.replaceAll("\n", "\r\n"))).toEqual([der, der]);
    expect(fromPem("CERTIFICATE REQUEST", text)).toEqual([der]);
    expect(fromPem("CERTIFICATE", "hello")).toEqual([]);
  });
});
