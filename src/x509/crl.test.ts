import "reflect-metadata";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { X509Crl } from "@peculiar/x509";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScratch, openssl, type Scratch } from "../../test/openssl.ts";
import { certificatePem, makeLeaf, makeTrees } from "../../test/trees.ts";
import { zlint } from "../../test/zlint.ts";
import { type CrlEntry, makeCrl } from "./crl.ts";

const now = new Date();
const trees = makeTrees(now);
const ca = trees["issuing-ca"];
const dayMs = 86_400_000;
let scratch: Scratch;
beforeAll(async () => {
  scratch = await openScratch();
});
afterAll(() => scratch[Symbol.asyncDispose]());

function crlOf(entries: CrlEntry[], changes: { number?: bigint; nextUpdate?: Date } = {}): Buffer {
  const content = {
    ...{ issuerDer: ca.der, thisUpdate: now, entries },
    ...{ number: 1_900_000_000n, nextUpdate: new Date(now.getTime() + dayMs), ...changes },
  };
  return makeCrl(content, ca.key);
}
const entry = (serial: string, reason = "Unspecified"): CrlEntry => ({ serial, revokedAt: now, reason });

async function verify(leaf: Buffer, crl: Buffer): Promise<string> {
  const [root = "", chain = "", leafPath = "", crlPath = ""] = await Promise.all([
    scratch.file("root.pem", certificatePem(trees["issuing-root"].der)),
    scratch.file("chain.pem", certificatePem(ca.der)),
    scratch.file("leaf.pem", certificatePem(leaf)),
    scratch.file("crl.pem", certificatePem(crl).replaceAll("CERTIFICATE", "X509 CRL")),
  ]);
  const strict = ["-x509_strict", "-auth_level", "2", "-crl_check", "-CRLfile", crlPath];
  return openssl("verify", ...strict, "-CAfile", root, "-untrusted", chain, leafPath);
}

describe("a CRL", () => {
  test("lets openssl refuse what it lists, and nothing else", async () => {
    const [good, bad] = [makeLeaf(ca), makeLeaf(ca)];
    const crl = crlOf([entry(new X509Certificate(bad).serialNumber, "KeyCompromise")]);
    expect(await verify(good, crl)).toContain("OK");
    await expect(verify(bad, crl)).rejects.toThrow("certificate revoked");
    expect(await verify(bad, crlOf([]))).toContain("OK");
  });

  test("says its number, its dates, its CA's key, and reasons without the one that says nothing", async () => {
    const serials = {
      Unspecified: "7F01",
      KeyCompromise: "8F02",
      CaCompromise: "03",
      Superseded: "04",
    } as const;
    const der = crlOf(Object.entries(serials).map(([reason, serial]) => entry(serial, reason)));
    const path = await scratch.file("shown.crl", der);
    const shown = await openssl("crl", "-inform", "DER", "-in", path, "-noout", "-text");
    expect(shown.replaceAll(/\s+/g, " ")).toMatch(
      /Serial Number: 7F01 Revocation Date: [^:]+:\d\d:\d\d \d{4} GMT Serial Number: 8F02 .*Key Compromise.*CA Compromise.*Superseded/,
    );
    expect(shown).toMatch(/X509v3 CRL Number: \n\s+1900000000/);
    expect(shown).toContain("X509v3 Authority Key Identifier");
    const parsed = new X509Crl(new Uint8Array(der));
    expect(parsed.entries.map(({ serialNumber, reason }) => [serialNumber, reason])).toEqual([
      ["7f01", undefined],
      ["8f02", 1],
      ["03", 2],
      ["04", 4],
    ]);
    expect(parsed.issuer).toBe(new X509Crl(new Uint8Array(crlOf([]))).issuer);
    expect(parsed.nextUpdate?.getTime()).toBe(Math.floor((now.getTime() + dayMs) / 1000) * 1000);
  });

  test.each([0, 1, 2_000])("of %i entries is as the RFCs have it", async (count) => {
    const entries = Array.from({ length: count }, (_, i) =>
      entry((0x4000_0000 + i).toString(16), "Superseded"),
    );
    expect(await zlint(crlOf(entries), "crl")).toEqual([]);
  });

  test("writes dates from 2050 on as RFC 5280 has them", async () => {
    const path = await scratch.file("late.crl", crlOf([], { nextUpdate: new Date("2050-01-01T00:00:00Z") }));
    expect(await openssl("asn1parse", "-inform", "DER", "-in", path)).toContain(
      "GENERALIZEDTIME   :20500101000000Z",
    );
  });

  test("is not made for a reason that no CRL knows", () => {
    expect(() => crlOf([entry("01", "Boredom")])).toThrow("Boredom");
  });

  test("is signed by whatever kind of key the CA has", async () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const made = makeCrl(
      {
        ...{ issuerDer: ca.der, thisUpdate: now, nextUpdate: now },
        ...{ number: 1n, entries: [] },
      },
      rsa.privateKey,
    );
    const shown = await openssl(
      "crl",
      "-inform",
      "DER",
      "-noout",
      "-text",
      "-in",
      await scratch.file("rsa.crl", made),
    );
    expect(shown).toContain("sha256WithRSAEncryption");
  });
});
