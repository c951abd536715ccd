import { createPrivateKey, X509Certificate } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readCsr } from "../src/x509/csr.ts";
import { spkiOf } from "../src/x509/keys.ts";
import { fromPem } from "../src/x509/pem.ts";
import { openScratch } from "../test/openssl.ts";
import { certificatePem, makeLeaf, makeTrees } from "../test/trees.ts";
import { lifeOf, newIdentityKey, readIdentity, storeIdentity } from "./identity.ts";

const identity = {
  agentId: "ag-one",
  server: "https://certctl.example/",
  certificatePem: certificatePem(makeLeaf(makeTrees()["agent-ca"], { days: 1 })),
  keyPem: newIdentityKey().keyPem,
  rootsPem: ["root"],
};

describe("an agent's identity", () => {
  test("is read back as it was stored, for its owner only", async () => {
    await using scratch = await openScratch();
    await storeIdentity(scratch.path("."), identity);
    expect(await readIdentity(scratch.path("."))).toEqual(identity);
    expect((await stat(scratch.path("identity.json"))).mode & 0o777).toBe(0o600);
  });

  test("is none before it was stored, and none where it lacks a part", async () => {
    await using scratch = await openScratch();
    expect(await readIdentity(scratch.path("."))).toBeNull();
    await writeFile(scratch.path("identity.json"), JSON.stringify({ ...identity, keyPem: undefined }));
    expect(await readIdentity(scratch.path("."))).toBeNull();
  });

  test("is replaced at half of its life", () => {
    const { renewAt, notAfter } = lifeOf(identity);
    const { validFrom, validTo } = new X509Certificate(identity.certificatePem);
    expect(notAfter).toEqual(new Date(validTo));
    expect(renewAt.getTime()).toBe((Date.parse(validFrom) + Date.parse(validTo)) / 2);
  });

  test("is asked for with a new key each time, and no name", () => {
    const [first, second] = [newIdentityKey(), newIdentityKey()];
    expect(first.keyPem).not.toBe(second.keyPem);
    const [der] = fromPem("CERTIFICATE REQUEST", first.csrPem);
    const csr = readCsr(der ?? Buffer.alloc(0));
    expect(csr).toMatchObject({ commonName: null, sans: [], keyAlgorithm: "ECDSA-P256" });
    expect(csr.spki).toEqual(spkiOf(createPrivateKey(first.keyPem)));
  });
});
