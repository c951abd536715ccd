import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScratch, openssl } from "./openssl.ts";
import { type System, startSystem } from "./system.ts";

/** What was issued: what its certificates say, and its files, as openssl reads them. */

let system: System;
let version: { id: string; pem_chain: string; fingerprint_sha256: string };
const parts = new AsyncDisposableStack();

const get = (path: string, apiKey = system.adminKey) =>
  system.rest("GET", `/api/v1/certificates/mc-shop/versions${path}`, undefined, { apiKey });
const download = (format: string) => get(`/${version.id}/download?format=${format}`);

beforeAll(async () => {
  system = parts.use(await startSystem());
  parts.use(await system.startAgent("ag-keys"));
  const names = { common_name: "shop.example.test", sans: ["www.shop.example.test"] };
  const certificate = { id: "mc-shop", name: "the shop / *", agent_id: "ag-keys", ...names };
  await system.rest("POST", "/api/v1/certificates", certificate);
  await system.renew("mc-shop");
  await system.renew("mc-shop");
  const { body } = await get("");
  expect(body.data.map(({ number }: { number: number }) => number)).toEqual([2, 1]);
  version = body.data[1];
});
afterAll(() => parts.disposeAsync());

describe("a version", () => {
  test("says what its certificates say, from the leaf to the root", async () => {
    const { body } = await get(`/${version.id}`);
    const { leaf, chain } = body.content;
    expect(body).toMatchObject({ id: version.id, number: 1, current: false });
    expect(leaf).toMatchObject({
      subject: "CN=shop.example.test",
      fingerprint_sha256: version.fingerprint_sha256,
      key_algorithm: "ECDSA-P256",
      key_usage: ["digitalSignature"],
      extended_key_usage: ["serverAuth"],
      sans: ["shop.example.test", "www.shop.example.test"],
      is_ca: false,
    });
    expect(leaf.signature_algorithm).toMatch(/^ECDSA with SHA-/);
    expect(chain).toHaveLength(2);
    expect(chain[0]).toMatchObject({
      subject: leaf.issuer,
      is_ca: true,
      key_usage: ["keyCertSign", "cRLSign"],
    });
    expect(chain[1]).toMatchObject({ subject: chain[0].issuer, issuer: chain[0].issuer });
    const read = new X509Certificate(chain[1].pem);
    expect(new Date(chain[1].not_after)).toEqual(read.validToDate);
  });

  test("that another certificate has is none of this one's", async () => {
    const other = { id: "mc-other", name: "other", common_name: "other.example.test" };
    await system.rest("POST", "/api/v1/certificates", other);
    const path = `/api/v1/certificates/mc-other/versions/${version.id}`;
    for (const at of ["", "/download"]) expect((await system.rest("GET", path + at)).status).toBe(404);
  });
});

describe("a version's file", () => {
  const blocks = (text: string) =>
    text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];

  test.each([
    ["leaf-pem", 1, "the-shop-v1-leaf.pem"],
    ["chain-pem", 1, "the-shop-v1-chain.pem"],
    ["fullchain-pem", 2, "the-shop-v1-fullchain.pem"],
    ["fullchain-reversed-pem", 2, "the-shop-v1-fullchain-reversed.pem"],
    ["root-pem", 1, "the-shop-v1-root.pem"],
  ])("%s holds its certificates and its name", async (format, count, filename) => {
    const { status, headers, body } = await download(format);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "application/x-pem-file",
      "content-disposition": `attachment; filename="${filename}"`,
      "cache-control": "no-store",
    });
    expect(blocks(body)).toHaveLength(count);
    const [first = ""] = blocks(
      format === "fullchain-reversed-pem" ? blocks(body).toReversed().join("") : body,
    );
    const isLeaf = new X509Certificate(first).fingerprint256.replaceAll(":", "").toLowerCase();
    const startsWithLeaf = ["leaf-pem", "fullchain-pem", "fullchain-reversed-pem"].includes(format);
    expect(isLeaf === version.fingerprint_sha256).toBe(startsWithLeaf);
    expect(body).not.toContain("PRIVATE KEY");
  });

  test("is the full chain where no format is named, and 400 names the formats where it is unknown", async () => {
    expect((await get(`/${version.id}/download`)).body).toBe(version.pem_chain);
    expect(await download("jks")).toMatchObject({ status: 400, body: { details: [{ field: "format" }] } });
  });

  test.each([
    ["leaf-der", ["x509", "-inform", "DER", "-noout", "-subject"], 1],
    ["pkcs7", ["pkcs7", "-inform", "DER", "-print_certs", "-noout"], 2],
  ])("%s is what openssl reads", async (format, command, subjects) => {
    await using scratch = await openScratch();
    const file = await scratch.file(format, (await download(format)).bytes);
    const text = await openssl(...command, "-in", file);
    expect(text.match(/subject=/g)).toHaveLength(subjects);
    expect(text).toMatch(/CN ?= ?shop\.example\.test/);
  });
});
