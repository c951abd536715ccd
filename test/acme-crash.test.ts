import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AcmeProxy, startAcmeProxy } from "./acme-proxy.ts";
import { type AcmeStage, openAcmeStage } from "./acme-stage.ts";
import { dns01, startNameServer } from "./name-server.ts";
import { type Pebble, startPebble } from "./pebble.ts";

/** A control plane that is killed while it works on an order has one certificate signed. */

let parts: AsyncDisposableStack;
let stage: AcmeStage;
let pebble: Pebble;
let proxy: AcmeProxy;
let issuerId: string;
let count = 0;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  stage = parts.use(await openAcmeStage());
  // It answers on, whoever is killed.
  const names = parts.use(await startNameServer("zone.test"));
  pebble = parts.use(await startPebble({ version: "2.6", dnsPort: names.port }));
  proxy = parts.use(await startAcmeProxy(pebble));
  issuerId = await stage.issuer(pebble, {
    ...{ directory_url: proxy.directoryUrl, ca: proxy.ca },
    ...dns01(names),
  });
});
afterAll(() => parts.disposeAsync());

/** What the dead process had is free at once, as it is half a minute later. */
async function endLeases(): Promise<void> {
  const client = new Client({ connectionString: stage.system.databaseUrl });
  await client.connect();
  try {
    await client.query("UPDATE issuer_orders SET lease_expires_at = now() WHERE lease_id IS NOT NULL");
  } finally {
    await client.end();
  }
}

test.each([
  ["before it is known that an order was placed", "order-plz", "after", 2],
  ["before it is known that a renewal's order was placed", "order-plz", "after", 2, true],
  ["before the authorizations are read", "authZ", "before", 1],
  ["when the CA was asked to look", "chalZ", "after", 1],
  ["before the order is finalized", "finalize-order", "before", 1],
  ["before it is known that the order was finalized", "finalize-order", "after", 1],
  ["before the certificate is fetched", "certZ", "before", 1],
] as const)(
  "killed %s, it leaves one certificate",
  async (_when, kind, moment, orders, isRenewal: boolean = false) => {
    count += 1;
    const certificateId = await stage.certificate(issuerId, [`crash-${count}.zone.test`]);
    if (isRenewal) await stage.system.renew(certificateId);
    proxy.calls = [];
    const { promise: isDead, resolve } = Promise.withResolvers<void>();
    proxy.gate = async (call, now) => {
      if (call.kind !== kind || now !== moment) return true;
      proxy.gate = async () => true;
      await stage.system.server().end("SIGKILL");
      resolve();
      return false;
    };
    const path = `/api/v1/certificates/${certificateId}`;
    const { body } = await stage.system.rest("POST", `${path}/renew`, {});
    await isDead;
    await endLeases();
    await stage.system.restartServer();
    const job = await stage.system.job(body.job_id, ({ outcome }) => outcome !== null);
    expect(job).toMatchObject({ outcome: "Proven", attempts: 1 });
    const good = (wanted: string) =>
      proxy.calls.filter((call) => call.kind === wanted && call.status < 300 && call.status > 0);
    expect(good("finalize-order")).toHaveLength(1);
    expect(good("order-plz")).toHaveLength(orders);
    const versions = await stage.system.rest("GET", `${path}/versions`);
    expect(versions.body.total).toBe(isRenewal ? 2 : 1);
    expect(await pebble.statusOf(versions.body.data[0].serial_number)).toBe("Valid");
  },
);
