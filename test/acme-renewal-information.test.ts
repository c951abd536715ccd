import { X509Certificate } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAcme } from "../src/issuers/acme/connection.ts";
import { createEgress } from "../src/platform/egress.ts";
import { createSealer } from "../src/platform/seal.ts";
import { type AcmeStage, openAcmeStage } from "./acme-stage.ts";
import { type Pebble, startPebble } from "./pebble.ts";

/** Pebble 2.6 says when it wants certificates renewed, and certctl does it then. */

let parts: AsyncDisposableStack;
let stage: AcmeStage;
let pebble: Pebble;
let database: Client;
beforeAll(async () => {
  parts = new AsyncDisposableStack();
  stage = parts.use(await openAcmeStage());
  pebble = parts.use(await startPebble({ version: "2.6", httpPort: stage.pkiPort }));
  database = new Client({ connectionString: stage.system.databaseUrl });
  await database.connect();
  parts.defer(() => database.end());
});
afterAll(() => parts.disposeAsync());

const get = async (path: string) => (await stage.system.rest("GET", `/api/v1${path}`)).body;

/** Has CAs asked now, whenever they said that they want to be asked again. */
async function poll(): Promise<void> {
  await database.query("UPDATE certificate_versions SET ari_poll_at = now() - interval '1 day'");
  const runs = async () => {
    const { data } = await get("/scheduler");
    return data.find(({ name }: { name: string }) => name === "renewal-information").runs;
  };
  const before = await runs();
  await stage.system.rest("POST", "/api/v1/scheduler/renewal-information/run", {});
  await expect.poll(runs).toBeGreaterThan(before);
}

/** As the CA does by itself when it has to. */
async function revokeAtCa(issuerId: string, chain: string): Promise<void> {
  const { rows } = await database.query("SELECT sealed_account FROM issuer_accounts WHERE id = $1", [
    issuerId,
  ]);
  const place = { table: "issuer_accounts", id: issuerId, field: "sealed_account" };
  const sealer = createSealer(stage.system.encryptionKey);
  const account = JSON.parse(sealer.open(place, rows[0].sealed_account).toString());
  const config = { directory_url: pebble.directoryUrl, ca: pebble.ca, eab_key_id: "", eab_hmac_key: "" };
  const { signal } = new AbortController();
  const { client } = await connectAcme(config, account, {
    egress: createEgress(["127.0.0.0/8", "::1/128"]),
    signal,
  });
  await client.revokeCertificate(new X509Certificate(chain).toString(), { reason: 4 });
}

test("a certificate is renewed when its CA wants it, and the CA is told which one it replaces", async () => {
  const issuerId = await stage.issuer(pebble);
  const id = await stage.certificate(issuerId, ["ari.test"]);
  await stage.system.renew(id);
  await poll();
  const [version] = (await get(`/certificates/${id}/versions`)).data;
  const { start, end, renew_at: renewAt, error } = version.renewal_information;
  expect(error).toBe("");
  expect(Date.parse(start)).toBeGreaterThan(Date.now());
  expect(Date.parse(renewAt)).toBeGreaterThanOrEqual(Date.parse(start));
  expect(Date.parse(renewAt)).toBeLessThanOrEqual(Date.parse(end));
  expect((await get(`/certificates/${id}`)).renew_at).toBe(renewAt);
  expect((await get(`/certificates/${id}/explain`)).plan).toMatchObject({
    renew_at: renewAt,
    text: expect.stringContaining("(ARI)"),
  });

  await revokeAtCa(issuerId, version.pem_chain);
  await poll();
  const jobs = async () => (await get(`/jobs?certificate_id=${id}&type=Renewal`)).data;
  await expect.poll(jobs).toMatchObject([{ type: "Renewal", outcome: "Proven" }]);
  const [job] = await jobs();
  const { rows } = await database.query("SELECT state FROM issuer_orders WHERE job_id = $1", [job.id]);
  expect(rows).toMatchObject([{ state: { open: { isReplacement: true, status: "valid" } } }]);
  const [renewed] = (await get(`/certificates/${id}/versions`)).data;
  expect(await pebble.statusOf(renewed.serial_number)).toBe("Valid");
  expect(await pebble.statusOf(version.serial_number)).toBe("Revoked");
});

test("an issuer that is not to ask follows the policy alone", async () => {
  const id = await stage.certificate(await stage.issuer(pebble, { renewal_information: false }), [
    "policy.test",
  ]);
  await stage.system.renew(id);
  await poll();
  expect((await get(`/certificates/${id}/versions`)).data).toMatchObject([{ renewal_information: null }]);
  expect((await get(`/certificates/${id}/explain`)).plan.text).not.toContain("ARI");
});
