import { X509Certificate } from "node:crypto";
import type { Client as AcmeClient } from "acme-client";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAcme } from "../src/issuers/acme/connection.ts";
import { renewalId } from "../src/issuers/acme/renewal-information.ts";
import { createEgress } from "../src/platform/egress.ts";
import { createSealer } from "../src/platform/seal.ts";
import { type AcmeProxy, startAcmeProxy } from "./acme-proxy.ts";
import { type AcmeStage, openAcmeStage } from "./acme-stage.ts";
import { newCsr } from "./fixtures.ts";
import { type Pebble, startPebble } from "./pebble.ts";

/** Pebble 2.6 says when it wants certificates renewed, and certctl does it then. */

let parts: AsyncDisposableStack;
let stage: AcmeStage;
let pebble: Pebble;
let database: Client;
beforeAll(async () => {
  parts = new AsyncDisposableStack();
  stage = parts.use(await openAcmeStage());
  // What was shown once is not shown again, so that another client needs no challenges.
  const env = { PEBBLE_AUTHZREUSE: "100" };
  pebble = parts.use(await startPebble({ version: "2.6", httpPort: stage.pkiPort, env }));
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
  const client = await accountOf(issuerId);
  await client.revokeCertificate(new X509Certificate(chain).toString(), { reason: 4 });
}

/** As another client that has the issuer's account does: it orders and finalizes. */
async function replaceAtCa(
  issuerId: string,
  { chain, name, ca }: { chain: string; name: string; ca: AcmeProxy },
): Promise<void> {
  const client = await accountOf(issuerId, ca);
  const replaces = renewalId({ leafDer: new X509Certificate(chain).raw });
  const identifiers = [{ type: "dns", value: name }];
  const order = await client.createOrder({ identifiers, replaces } as never);
  const finalized = await client.finalizeOrder(order, newCsr([name]).csrPem);
  expect(["processing", "valid"]).toContain(finalized.status);
}

/** A client of the CA that has an issuer's account. */
async function accountOf(
  issuerId: string,
  { directoryUrl, ca }: Pick<Pebble, "directoryUrl" | "ca"> = pebble,
): Promise<AcmeClient> {
  const { rows } = await database.query("SELECT sealed_account FROM issuer_accounts WHERE id = $1", [
    issuerId,
  ]);
  const place = { table: "issuer_accounts", id: issuerId, field: "sealed_account" };
  const sealer = createSealer(stage.system.encryptionKey);
  const account = JSON.parse(sealer.open(place, rows[0].sealed_account).toString());
  const config = { directory_url: directoryUrl, ca, eab_key_id: "", eab_hmac_key: "" };
  const { signal } = new AbortController();
  const { client } = await connectAcme(config, account, {
    egress: createEgress(["127.0.0.0/8", "::1/128"]),
    signal,
  });
  return client;
}

test("a certificate is renewed when its CA wants it, and the CA is told which one it replaces", async () => {
  const issuerId = await stage.issuer(pebble);
  const id = await stage.certificate(issuerId, ["ari.test"]);
  await stage.system.renew(id);
  await poll();
  const [version] = (await get(`/certificates/${id}/versions`)).data;
  const { start, end, renew_at: renewAt, error } = version.renewal_information;
  const { asked_at: askedAt, next_poll_at: nextPollAt } = version.renewal_information;
  expect(error).toBe("");
  expect(Date.parse(askedAt)).toBeLessThanOrEqual(Date.now());
  expect(Date.parse(nextPollAt)).toBeGreaterThan(Date.parse(askedAt));
  expect(Date.parse(start)).toBeGreaterThan(Date.now());
  expect(Date.parse(renewAt)).toBeGreaterThanOrEqual(Date.parse(start));
  expect(Date.parse(renewAt)).toBeLessThanOrEqual(Date.parse(end));
  expect((await get(`/certificates/${id}`)).renew_at).toBe(renewAt);
  expect((await get(`/certificates/${id}/explain`)).plan).toMatchObject({
    renew_at: renewAt,
    text: expect.stringContaining("(ARI)"),
    renewal_information: version.renewal_information,
    renewal_information_version_id: version.id,
  });
  expect((await get("/renewals/forecast")).when_ca_wants).toBe(1);

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

test("a CA that has a successor of the certificate already signs another, without being told what it replaces", async () => {
  await using proxy = await startAcmeProxy(pebble);
  const issuerId = await stage.issuer(pebble, { directory_url: proxy.directoryUrl, ca: proxy.ca });
  const id = await stage.certificate(issuerId, ["replaced.test"]);
  await stage.system.renew(id);
  const placed = () =>
    proxy.calls
      .filter(({ kind }) => kind === "order-plz")
      .map(({ payload, status }) => ["replaces" in JSON.parse(payload), status]);
  const refusing = async () => {
    proxy.calls = [];
    const job = await stage.system.renew(id);
    expect(job).toMatchObject({ outcome: "Proven", attempts: 1 });
    return job.timeline.map(({ message }: { message: string }) => message).join("\n");
  };

  // Somebody else who has the account replaced it: the CA itself refuses, in words of its own.
  const [version] = (await get(`/certificates/${id}/versions`)).data;
  await replaceAtCa(issuerId, { chain: version.pem_chain, name: "replaced.test", ca: proxy });
  expect(await refusing()).toContain("which already has a replacement order");
  expect(placed()).toEqual([
    [true, 409],
    [false, 201],
  ]);

  // What RFC 9773 has a CA say.
  proxy.refuse = ({ kind, payload }) =>
    kind === "order-plz" && payload.includes("replaces")
      ? { status: 409, type: "alreadyReplaced", detail: "it has a successor" }
      : null;
  expect(await refusing()).toContain("without naming the certificate that is replaced: it has a successor");
  expect(placed()).toEqual([
    [true, 409],
    [false, 201],
  ]);
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
