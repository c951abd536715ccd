import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type AcmeProxy, startAcmeProxy } from "./acme-proxy.ts";
import { type AcmeStage, openAcmeStage } from "./acme-stage.ts";
import { startPebble } from "./pebble.ts";

/** The key of an account is changed at a real CA, whatever is killed meanwhile, and the account is closed. */

let parts: AsyncDisposableStack;
let stage: AcmeStage;
let proxy: AcmeProxy;
let issuerId: string;
let certificateId: string;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  stage = parts.use(await openAcmeStage());
  const pebble = parts.use(await startPebble({ version: "2.6", httpPort: stage.pkiPort }));
  proxy = parts.use(await startAcmeProxy(pebble));
  issuerId = await stage.issuer(pebble, { directory_url: proxy.directoryUrl, ca: proxy.ca });
  certificateId = await stage.certificate(issuerId, ["account.test"]);
});
afterAll(() => parts.disposeAsync());
beforeEach(() => {
  proxy.calls = [];
  proxy.gate = async () => true;
  proxy.refuse = () => null;
});

const path = () => `/api/v1/issuers/${issuerId}`;
const account = async () => (await stage.system.rest("GET", `${path()}/account`)).body.account;
const changeKey = () => stage.system.rest("POST", `${path()}/change-account-key`, {});
const close = () => stage.system.rest("POST", `${path()}/close-account`, {});
const isKeyChange = ({ kind }: { kind: string }) => kind === "rollover-account-key";
const renewed = async () =>
  expect(await stage.system.renew(certificateId)).toMatchObject({ outcome: "Proven", attempts: 1 });
const actions = async () => {
  const { body } = await stage.system.rest("GET", `/api/v1/audit?resource_id=${issuerId}&per_page=100`);
  return body.data.map(({ action }: { action: string }) => action) as string[];
};

test("there is none before the first order, and nothing to change", async () => {
  expect(await account()).toBeNull();
  expect(await changeKey()).toMatchObject({
    status: 409,
    body: { message: expect.stringContaining("the first order registers one") },
  });
});

test("its key is changed, and the account stays the same", async () => {
  await renewed();
  const before = await account();
  expect(before).toMatchObject({ key_changing: false, closing: false });
  expect(before.url).toContain("/my-account/");
  const { status, body } = await changeKey();
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.account).toMatchObject({ url: before.url, key_changing: false });
  expect(body.account.key_thumbprint).not.toBe(before.key_thumbprint);
  expect(Date.parse(body.account.key_made_at)).toBeGreaterThan(Date.parse(before.key_made_at));
  expect(proxy.calls.filter(isKeyChange)).toMatchObject([{ status: 200 }]);
  await renewed();
  expect(await actions()).toEqual(
    expect.arrayContaining(["issuer_account_key_change_begun", "issuer_account_key_changed"]),
  );
});

test("a change that does not reach the CA is open until it does", async () => {
  const before = await account();
  proxy.gate = async (call, moment) => !(isKeyChange(call) && moment === "before");
  expect(await changeKey()).toMatchObject({ status: 503 });
  expect(await account()).toEqual({ ...before, key_changing: true });
  proxy.gate = async () => true;
  // With the change open, orders go on under the old key.
  await renewed();
  expect(await account()).toEqual({ ...before, key_changing: true });
  const { status, body } = await changeKey();
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.account.key_thumbprint).not.toBe(before.key_thumbprint);
  await renewed();
});

test.each(["before", "after"] as const)(
  "a control plane that is killed %s the CA has changed it finds out by which key it is known",
  async (moment) => {
    const before = await account();
    const { promise: isDead, resolve } = Promise.withResolvers<void>();
    proxy.gate = async (call, now) => {
      if (!isKeyChange(call) || now !== moment) return true;
      proxy.gate = async () => true;
      await stage.system.server().end("SIGKILL");
      resolve();
      return false;
    };
    const broken = changeKey().catch((error: unknown) => error);
    await isDead;
    await broken;
    await stage.system.restartServer();
    expect(await account()).toMatchObject({ key_thumbprint: before.key_thumbprint, key_changing: true });
    await renewed();
    const found = await account();
    expect(found.url).toBe(before.url);
    if (moment === "before") {
      expect(found).toEqual({ ...before, key_changing: true });
      expect(await changeKey()).toMatchObject({ status: 200 });
    }
    const after = await account();
    expect(after).toMatchObject({ url: before.url, key_changing: false });
    expect(after.key_thumbprint).not.toBe(before.key_thumbprint);
    await renewed();
  },
  60_000,
);

test("an order that is under way while it is changed is gone on with under the new key", async () => {
  const { promise: isChanged, resolve } = Promise.withResolvers<void>();
  proxy.gate = async (call, moment) => {
    if (call.kind !== "order-plz" || moment !== "before") return true;
    proxy.gate = async () => true;
    expect(await changeKey()).toMatchObject({ status: 200 });
    resolve();
    return true;
  };
  const { body } = await stage.system.rest("POST", `/api/v1/certificates/${certificateId}/renew`, {});
  await isChanged;
  const failed = await stage.system.job(body.job_id, ({ error }) => error !== null);
  expect(failed).toMatchObject({ status: "Pending", error: { failure_class: "Network" } });
  expect(await stage.system.rest("POST", `/api/v1/jobs/${body.job_id}/cancel`)).toMatchObject({
    status: 200,
  });
  await renewed();
});

test("it is closed, once, and the next order registers another", async () => {
  const before = await account();
  proxy.gate = async ({ kind }, moment) => !(kind === "my-account" && moment === "after");
  expect(await close()).toMatchObject({ status: 503 });
  expect(await account()).toMatchObject({ url: before.url, closing: true });
  proxy.gate = async () => true;
  const { status, body } = await close();
  expect(status, JSON.stringify(body)).toBe(200);
  expect(await account()).toBeNull();
  await renewed();
  expect((await account()).url).not.toBe(before.url);
  expect(await actions()).toEqual(
    expect.arrayContaining(["issuer_account_closing", "issuer_account_closed"]),
  );
});

test("an issuer of another kind has none", async () => {
  const local = "/api/v1/issuers/iss-local";
  expect((await stage.system.rest("GET", `${local}/account`)).body.account).toBeNull();
  expect(await stage.system.rest("POST", `${local}/change-account-key`, {})).toMatchObject({ status: 409 });
});
