import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScratch } from "./openssl.ts";
import { runScript } from "./process.ts";
import { type System, startSystem } from "./system.ts";
import { verifyChain } from "./verify.ts";

/** A CA whose key lies in SoftHSM. */

const parts = new AsyncDisposableStack();
let system: System;
let env: Record<string, string>;
beforeAll(async () => {
  const scratch = parts.use(await openScratch());
  await mkdir(scratch.path("tokens"));
  const conf = await scratch.file("softhsm2.conf", `directories.tokendir = ${scratch.path("tokens")}\n`);
  const init = ["--init-token", "--free", "--label", "ca", "--pin", "1234", "--so-pin", "5678"];
  const made = spawnSync("softhsm2-util", init, { env: { ...process.env, SOFTHSM2_CONF: conf } });
  expect(made.status, String(made.stderr)).toBe(0);
  await writeFile(scratch.path("pin"), "1234\n", { mode: 0o600 });
  env = {
    SOFTHSM2_CONF: conf,
    CERTCTL_PKCS11_MODULE: "/usr/lib/softhsm/libsofthsm2.so",
    CERTCTL_PKCS11_TOKEN: "ca",
    CERTCTL_PKCS11_PIN_FILE: scratch.path("pin"),
  };
  system = parts.use(await startSystem({ env }));
  parts.use(await system.startAgent("ag-web"));
});
afterAll(() => parts.disposeAsync());

const api = async (method: string, path: string, body?: unknown) => {
  const answer = await system.rest(method, `/api/v1/${path}`, body);
  if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};

async function issued(name: string): Promise<string> {
  const wanted = { name, common_name: `${name}.example.test`, agent_id: "ag-web" };
  const { id } = await api("POST", "certificates", wanted);
  await system.renew(id);
  const { data } = await api("GET", `certificates/${id}/versions`);
  const { root_pem: root } = await api("GET", "issuers/iss-local");
  await verifyChain(data[0].pem_chain, root, `${name}.example.test`);
  return data[0].pem_chain.split("-----END CERTIFICATE-----")[1].trim();
}

test("certificates, CRLs and a successor are signed in the token, also after a restart", async () => {
  const { data } = await api("GET", "authorities?q=issuing+root");
  const wanted = { name: "In the token", issuer_id: "iss-local", parent_id: data[0].id, key_place: "Pkcs11" };
  const ca = await api("POST", "authorities", { ...wanted, key_algorithm: "ECDSA-P384" });
  expect(ca).toMatchObject({ key_place: "Pkcs11", key_algorithm: "ECDSA-P384", state: "Active" });
  const pem = ca.certificate_pem.split("-----END")[0].trim();
  expect(await issued("one")).toContain(pem);
  await expect.poll(async () => (await api("GET", `authorities/${ca.id}`)).crl?.entries).toBe(0);
  await system.server().end("SIGTERM");
  await system.restartServer();
  expect(await issued("two")).toContain(pem);
  const next = await api("POST", `authorities/${ca.id}/rotate`, {});
  expect(next).toMatchObject({ key_place: "Pkcs11", name: "In the token 2" });
  await issued("three");
  const rsa = await system.rest("POST", "/api/v1/authorities", { ...wanted, key_algorithm: "RSA-2048" });
  expect(rsa).toMatchObject({ status: 400, body: { details: [{ field: "key_algorithm" }] } });
});

test.each([
  ["a wrong PIN", { CERTCTL_PKCS11_PIN: "9999", CERTCTL_PKCS11_PIN_FILE: "" }, "CKR_PIN_INCORRECT"],
  ["another token", { CERTCTL_PKCS11_TOKEN: "other" }, 'has no token "other"'],
])("a control plane with %s does not start, and says why", async (_what, changes, words) => {
  const wrong = { ...env, ...changes, CERTCTL_DATA_DIR: `${system.directory}/wrong-${words.length}` };
  const database = {
    DATABASE_URL: system.databaseUrl,
    CERTCTL_CONFIG_ENCRYPTION_KEY: system.encryptionKey.toString("base64"),
  };
  await using process = runScript("src/main.ts", { ...wrong, ...database, CERTCTL_PORT: "1" });
  await expect.poll(() => process.child.exitCode, { timeout: 20_000 }).not.toBeNull();
  expect(process.said()).toContain(words);
  expect(process.said()).not.toContain("9999");
});
