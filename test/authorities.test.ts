import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cli, openCli } from "./cli.ts";
import { freePort } from "./free-port.ts";
import { openScratch, openssl, type Scratch } from "./openssl.ts";
import { type System, startSystem } from "./system.ts";
import { verifyChain } from "./verify.ts";

let parts: AsyncDisposableStack;
let system: System;
let cli: Cli;
let scratch: Scratch;
let pkiUrl: string;
beforeAll(async () => {
  parts = new AsyncDisposableStack();
  const port = await freePort();
  pkiUrl = `http://127.0.0.1:${port}`;
  const env = { CERTCTL_PKI_PORT: String(port), CERTCTL_PKI_URL: pkiUrl };
  system = parts.use(await startSystem({ env }));
  cli = parts.use(await openCli(system));
  scratch = parts.use(await openScratch());
  parts.use(await system.startAgent("ag-web"));
});
afterAll(() => parts.disposeAsync());

/** A certificate that the agent asked for; its newest version. */
async function issued(name: string, issuerId = "iss-local") {
  const wanted = { name, common_name: `${name}.example.test`, agent_id: "ag-web", issuer_id: issuerId };
  const { body } = await system.rest("POST", "/api/v1/certificates", wanted);
  await system.renew(body.id);
  const versions = await system.rest("GET", `/api/v1/certificates/${body.id}/versions`);
  const { body: issuer } = await system.rest("GET", `/api/v1/issuers/${issuerId}`);
  return { id: body.id, version: versions.body.data[0], rootPem: issuer.root_pem };
}

test("what a leaf says of its revocation data is there over HTTP, and says what happened", async () => {
  const { id, version, rootPem } = await issued("checked");
  await verifyChain(version.pem_chain, rootPem, "checked.example.test");
  const leaf = await scratch.file("leaf.pem", version.pem_chain);
  const shown = await openssl("x509", "-noout", "-text", "-in", leaf);
  const [ocspUrl, caUrl, crlUrl] = [/OCSP - URI:(\S+)/, /CA Issuers - URI:(\S+)/, /\n\s+URI:(\S+)/].map(
    (pattern) => pattern.exec(shown)?.[1] ?? "",
  );
  const get = async (url = "") => Buffer.from(await (await fetch(url)).arrayBuffer());
  const ca = await scratch.file("ca.pem", new X509Certificate(await get(caUrl)).toString());
  const root = await scratch.file("root.pem", rootPem);
  const trust = ["-CAfile", root, "-issuer", ca, "-verify_other", ca];
  const ask = () => openssl("ocsp", ...trust, "-url", ocspUrl ?? "", "-cert", leaf);
  const verify = async () => {
    const crl = await scratch.file("crl.der", await get(crlUrl));
    const strict = ["-x509_strict", "-auth_level", "2", "-crl_check", "-CRLfile", crl];
    return openssl("verify", ...strict, "-CAfile", root, "-untrusted", ca, leaf);
  };
  expect(await ask()).toMatch(/good\n[\s\S]*Response verify OK/);
  await expect.poll(() => verify().catch((error: Error) => error.message)).toContain("OK");
  await system.rest("POST", `/api/v1/certificates/${id}/revoke`, { reason: "KeyCompromise" });
  await expect.poll(ask).toContain("revoked");
  await expect.poll(() => verify().catch((error: Error) => error.message)).toContain("certificate revoked");
  expect((await fetch(`${pkiUrl}/api/v1/certificates`)).status).toBe(404);
});

describe("certctl authorities", () => {
  test("makes a CA for an issuer, rotates it, and lists what there is", async () => {
    await system.rest("POST", "/api/v1/issuers", { id: "iss-b", name: "B", kind: "local-ca", config: {} });
    const root = await cli.json("authorities", "create", "--name", "Corp root");
    const limits = ["--names", '{"permitted_dns":["example.test"]}'];
    const under = ["--issuer-id", "iss-b", "--parent-id", root.id, ...limits];
    const ca = await cli.json("authorities", "create", "--name", "Corp CA", ...under);
    expect(ca).toMatchObject({
      state: "Active",
      names: { permitted_dns: ["example.test"] },
      issuer_name: "B",
    });
    const { version, rootPem } = await issued("limited", "iss-b");
    await verifyChain(version.pem_chain, rootPem, "limited.example.test");
    const wanted = { name: "out", common_name: "out.example.org", agent_id: "ag-web", issuer_id: "iss-b" };
    expect((await system.rest("POST", "/api/v1/certificates", wanted)).status).toBe(400);
    const next = await cli.json("authorities", "rotate", ca.id);
    expect(next).toMatchObject({ name: "Corp CA 2", state: "Active", parent_id: root.id });
    const { code, out } = await cli.run(["authorities", "list", "--issuer-id", "iss-b"]);
    expect(code).toBe(0);
    expect(out).toMatch(/Corp CA 2.*Active[\s\S]*Corp CA .*Overlap/);
  });

  test("takes a root offline into a file, and brings it back", async () => {
    const root = await cli.json("authorities", "create", "--name", "Away");
    const path = join(cli.home, "root.key");
    const short = await cli.run(["authorities", "export-root", root.id, path], { input: "short" });
    expect(short).toMatchObject({ code: 2 });
    const passphrase = "sixteen characters and more";
    const done = await cli.run(["authorities", "export-root", root.id, path], { input: passphrase });
    expect(done).toMatchObject({ code: 0, out: "" });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const key = await readFile(path, "utf8");
    expect(key).toContain("ENCRYPTED");
    expect(createPrivateKey({ key, passphrase }).asymmetricKeyType).toBe("ec");
    expect(await cli.json("authorities", "get", root.id)).toMatchObject({
      state: "Offline",
      key_place: "Offline",
    });
    const again = await cli.run(["authorities", "export-root", root.id, path], { input: passphrase });
    expect(again.code).not.toBe(0);
    expect(await readFile(path, "utf8")).toBe(key);
    await writeFile(join(cli.home, "passphrase"), `${passphrase}\n`, { mode: 0o600 });
    const file = ["--private-key-pem", `@${path}`, "--passphrase", `@${join(cli.home, "passphrase")}`];
    expect(await cli.json("authorities", "restore-key", root.id, ...file)).toMatchObject({
      key_place: "Database",
    });
    expect(system.server().said()).not.toContain(passphrase);
  });
});
