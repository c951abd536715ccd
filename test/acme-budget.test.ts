import { afterAll, beforeAll, expect, test } from "vitest";
import { type AcmeProxy, startAcmeProxy } from "./acme-proxy.ts";
import { type AcmeStage, openAcmeStage } from "./acme-stage.ts";
import { type Pebble, startPebble } from "./pebble.ts";

/** Pebble has no limits of its own: what is not ordered there, certctl held back. */

let parts: AsyncDisposableStack;
let stage: AcmeStage;
let pebble: Pebble;
let proxy: AcmeProxy;
beforeAll(async () => {
  parts = new AsyncDisposableStack();
  stage = parts.use(await openAcmeStage());
  pebble = parts.use(await startPebble({ version: "2.6", httpPort: stage.pkiPort }));
  proxy = parts.use(await startAcmeProxy(pebble));
});
afterAll(() => parts.disposeAsync());

const issuer = (config: Record<string, unknown>) =>
  stage.issuer(pebble, { directory_url: proxy.directoryUrl, ca: proxy.ca, ...config });

/** The orders that the CA got. */
const placed = () => proxy.calls.filter(({ kind }) => kind === "order-plz").length;

async function uses(issuerId: string): Promise<string[]> {
  const { status, body } = await stage.system.rest("GET", `/api/v1/issuers/${issuerId}/budget`);
  expect(status).toBe(200);
  return body.data.map(
    ({ kind, subject, used, limit, free_at: freeAt }: Record<string, unknown>) =>
      `${kind} ${subject}: ${used} of ${limit}${freeAt ? ", spent" : ""}`,
  );
}

/** Renews, and waits until the first attempt failed; the job's error. */
async function refused(certificateId: string) {
  const { body } = await stage.system.rest("POST", `/api/v1/certificates/${certificateId}/renew`, {});
  return (await stage.system.job(body.job_id, ({ error }) => error !== null)).error;
}

test("the CA gets no order that is over the issuer's budget", async () => {
  const issuerId = await issuer({ renewal_information: false, budget: { certificates_per_domain_week: 1 } });
  await stage.system.renew(await stage.certificate(issuerId, ["a.budget.test"]));
  const before = placed();
  const error = await refused(await stage.certificate(issuerId, ["b.budget.test"]));
  expect(error).toMatchObject({
    step: "budget",
    message: expect.stringContaining("1 certificates for budget.test in 7 days; there is room again at"),
  });
  expect(placed()).toBe(before);
  expect(await uses(issuerId)).toEqual([
    "orders : 1 of 300",
    "domain budget.test: 1 of 1, spent",
    "names a.budget.test: 1 of 5",
  ]);
});

test("a renewal whose predecessor the CA knows is ordered all the same", async () => {
  const issuerId = await issuer({ budget: { certificates_per_name_set_week: 1 } });
  const id = await stage.certificate(issuerId, ["ari.test"]);
  await stage.system.renew(id);
  await stage.system.renew(id);
  expect(await uses(issuerId)).toEqual([
    "orders : 2 of 300",
    "domain ari.test: 1 of 50",
    "names ari.test: 1 of 1, spent",
  ]);
});

test("names that the CA could not validate leave room to try again", async () => {
  const issuerId = await issuer({
    // The agent answers on another port than the CA asks.
    ...{ challenge: "tls-alpn-01", solver: "agent" },
    budget: { certificates_per_name_set_week: 1 },
  });
  const id = await stage.certificate(issuerId, ["nobody.test"]);
  expect(await refused(id)).toMatchObject({ step: "challenge" });
  expect(await uses(issuerId)).toEqual(["orders : 1 of 300"]);
});
