import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAcmeProxy } from "../acme-proxy.ts";
import { type AcmeStage, openAcmeStage } from "../acme-stage.ts";
import { startPebble } from "../pebble.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** When a CA wants a certificate renewed, as its page and the forecast show it. */

const parts = new AsyncDisposableStack();
let stage: AcmeStage;
let view: View;
let id: string;
let endCa: () => Promise<void>;

beforeAll(async () => {
  const browser: Browser = parts.use(await openBrowser());
  stage = parts.use(await openAcmeStage());
  const pebble = parts.use(await startPebble({ version: "2.6", httpPort: stage.pkiPort }));
  const proxy = await startAcmeProxy(pebble);
  endCa = async () => proxy[Symbol.asyncDispose]();
  id = await stage.certificate(
    await stage.issuer(pebble, { directory_url: proxy.directoryUrl, ca: proxy.ca }),
    ["ari.test"],
  );
  await stage.system.renew(id);
  view = parts.use(await browser.open(stage.system));
}, 120_000);
afterAll(() => parts.disposeAsync());

const said = async () =>
  (await stage.system.rest("GET", `/api/v1/certificates/${id}/explain`)).body.plan.renewal_information;
const ask = () => stage.system.rest("POST", "/api/v1/scheduler/renewal-information/run", {});
const panel = () => view.page.getByRole("region", { name: "When its CA wants it renewed" });

test("the page of a certificate has the CA's window beside the plan", async () => {
  const { page } = view;
  await view.goto(`/certificates/${id}/explain`);
  await page.getByRole("region", { name: "Why it is renewed then" }).waitFor();
  expect(await panel().count()).toBe(0);
  await ask();
  await expect.poll(said).not.toBeNull();
  await panel().getByText("The CA named a time", { exact: false }).waitFor();
  const { start, end, renew_at: renewAt, asked_at: askedAt, next_poll_at: nextPollAt } = await said();
  const shown = () =>
    panel()
      .locator("time")
      .evaluateAll((times) => times.map((time) => time.getAttribute("datetime")));
  const inFull = [start, end, renewAt, askedAt, nextPollAt].map((at) => new Date(at).toISOString());
  expect(await shown()).toEqual(inFull);
  await expectFine(view, "what the CA says of renewing");
  await screenshot(page, "renewal-information");
  await view.goto(`/certificates/${id}`);
  await page.getByRole("link", { name: "when its CA wants it (ARI)" }).click();
  await panel().waitFor();
});

test("the forecast counts what is renewed when its CA wants it, and marks it", async () => {
  const { page } = view;
  await view.goto("/renewals");
  await page.getByText("1 certificate next when the CA wants it (ARI)", { exact: false }).waitFor();
  const next = page.getByRole("region", { name: "Next" });
  await next.getByText("by its CA").filter({ visible: true }).waitFor();
  const day = new Date((await said()).renew_at).toISOString().slice(0, 10);
  const { days } = (await stage.system.rest("GET", "/api/v1/renewals/forecast")).body;
  expect(days.find(({ date }: { date: string }) => date === day)).toMatchObject({ renewals: 1 });
  await expectFine(view, "a forecast with what a CA wants");
  await screenshot(page, "renewals-ari");
});

test("a CA that does not answer is named with its error, and the policy rules", async () => {
  const { page } = view;
  await endCa();
  const database = new Client({ connectionString: stage.system.databaseUrl });
  await database.connect();
  await database.query("UPDATE certificate_versions SET ari_poll_at = now() - interval '1 day'");
  await database.end();
  await ask();
  await expect.poll(async () => (await said()).error).toContain("ECONNREFUSED");
  await view.goto(`/certificates/${id}/explain`);
  await panel().getByText("The CA did not say when", { exact: false }).waitFor();
  await panel().getByText("ECONNREFUSED", { exact: false }).waitFor();
  await expectFine(view, "a CA that does not say when to renew");
  await screenshot(page, "renewal-information-error");
});
