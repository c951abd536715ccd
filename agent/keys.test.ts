import { createPrivateKey } from "node:crypto";
import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { matchCsr, readCsr } from "../src/x509/csr.ts";
import { keyAlgorithmOf, spkiOf } from "../src/x509/keys.ts";
import { fromPem } from "../src/x509/pem.ts";
import { openScratch, type Scratch } from "../test/openssl.ts";
import { type KeyStore, openKeyStore } from "./keys.ts";

let scratch: Scratch;
let directory: string;
let keys: KeyStore;
beforeEach(async () => {
  scratch = await openScratch();
  directory = scratch.path("keys");
  keys = await openKeyStore(directory);
  return () => scratch[Symbol.asyncDispose]();
});

const wish = (changes = {}) => ({
  commonName: "www.example",
  sans: ["www.example"],
  keyAlgorithm: "ECDSA-P256",
  ...changes,
});
const read = (csrPem: string) => readCsr(fromPem("CERTIFICATE REQUEST", csrPem)[0] ?? Buffer.alloc(0));
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("a key", () => {
  test.each(["ECDSA-P256", "ECDSA-P384", "RSA-2048", "RSA-3072"])(
    "of %s is made, and signs its CSR",
    async (keyAlgorithm) => {
      const { csrPem, isNew } = await keys.csrFor("job-a", wish({ keyAlgorithm }));
      expect(isNew).toBe(true);
      const csr = read(csrPem);
      expect(() => matchCsr(csr, wish({ keyAlgorithm }))).not.toThrow();
      const key = createPrivateKey(await keys.read("job-a"));
      expect(keyAlgorithmOf(key)).toBe(keyAlgorithm);
      expect(spkiOf(key)).toEqual(csr.spki);
    },
  );

  test("is for its owner's eyes only, as is its directory", async () => {
    await keys.csrFor("job-a", wish());
    expect(await modeOf(directory)).toBe(0o700);
    expect(await modeOf(join(directory, "job-a.key"))).toBe(0o600);
    expect((await readdir(directory)).sort()).toEqual(["job-a.csr", "job-a.key"]);
  });

  test("is for its owner's eyes only in a directory that was open before", async () => {
    const open = scratch.path("open");
    await mkdir(open);
    await chmod(open, 0o755);
    await openKeyStore(open);
    expect(await modeOf(open)).toBe(0o700);
  });

  test("of a kind that the agent does not make is refused", async () => {
    for (const keyAlgorithm of ["", "DSA-2048", "ED25519"]) {
      await expect(keys.csrFor("job-a", wish({ keyAlgorithm }))).rejects.toThrow("no keys of the kind");
    }
    expect(await keys.list()).toEqual([]);
  });

  test("of which there is none cannot be read", async () => {
    await expect(keys.read("job-a")).rejects.toThrow("ENOENT");
  });
});

describe("a repeated job", () => {
  test("gets the same CSR, to the byte", async () => {
    const first = await keys.csrFor("job-a", wish());
    const second = await keys.csrFor("job-a", wish());
    expect(second).toEqual({ csrPem: first.csrPem, isNew: false });
  });

  test("gets the same CSR from an agent that was restarted", async () => {
    const { csrPem } = await keys.csrFor("job-a", wish());
    const restarted = await openKeyStore(directory);
    expect(await restarted.csrFor("job-a", wish())).toEqual({ csrPem, isNew: false });
  });

  test("gets another CSR over the same key when the names have changed", async () => {
    const first = await keys.csrFor("job-a", wish());
    const changed = wish({ sans: ["www.example", "shop.example"] });
    const second = await keys.csrFor("job-a", changed);
    expect(second.isNew).toBe(false);
    expect(read(second.csrPem).spki).toEqual(read(first.csrPem).spki);
    expect(() => matchCsr(read(second.csrPem), changed)).not.toThrow();
    expect(await keys.csrFor("job-a", changed)).toEqual(second);
  });

  test("gets a CSR over the key that it has, when the CSR was lost or is no CSR", async () => {
    const first = await keys.csrFor("job-a", wish());
    await writeFile(join(directory, "job-a.csr"), "nothing");
    const second = await keys.csrFor("job-a", wish());
    expect(read(second.csrPem).spki).toEqual(read(first.csrPem).spki);
  });

  test("has a key of its own", async () => {
    const [first, second] = [await keys.csrFor("job-a", wish()), await keys.csrFor("job-b", wish())];
    expect(read(second.csrPem).spki).not.toEqual(read(first.csrPem).spki);
  });
});

describe("an id that the control plane sends", () => {
  const bad = [
    "../job-a",
    "job-a/../../x",
    "/etc/passwd",
    "job-",
    "job-A",
    "job-a\0",
    "",
    "job-a.key",
    "cv-a",
  ];
  test.each(bad)("leads nowhere else: %j", async (id) => {
    await expect(keys.csrFor(id, wish())).rejects.toThrow("is no key id");
    expect(() => keys.read(id)).toThrow("is no key id");
    await expect(keys.destroy(id)).rejects.toThrow("is no key id");
    expect(await readdir(directory)).toEqual([]);
  });
});

describe("the store", () => {
  test("lists the keys that it holds", async () => {
    await keys.csrFor("job-b", wish());
    await keys.csrFor("job-a", wish());
    expect((await keys.list()).sort()).toEqual(["job-a", "job-b"]);
  });

  test("destroys a key with its CSR, once or twice", async () => {
    await keys.csrFor("job-a", wish());
    await keys.destroy("job-a");
    await keys.destroy("job-a");
    expect(await readdir(directory)).toEqual([]);
  });
});
