import { afterAll, beforeAll, expect, test } from "vitest";
import { startAcmeProxy } from "../acme-proxy.ts";
import { type AcmeStage, openAcmeStage } from "../acme-stage.ts";
import { startPebble } from "../pebble.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** An issuer's account at a real CA: its key is changed, and it is closed, from the issuer's page. */

const parts = new AsyncDisposableStack();
let stage: AcmeStage;
let view: View;
let issuerId: string;
let setReachable: (isReachable: boolean) => void;

beforeAll(async () => {
  const browser: Browser = parts.use(await openBrowser());
  stage = parts.use(await openAcmeStage());
  const pebble = parts.use(await startPebble({ version: "2.6", httpPort: stage.pkiPort }));
  const proxy = parts.use(await startAcmeProxy(pebble));
  setReachable = (isReachable) => {
    proxy.gate = async ({ kind }) => isReachable || kind !== "rollover-account-key";
  };
  issuerId = await stage.issuer(pebble, { directory_url: proxy.directoryUrl, ca: proxy.ca });
  view = parts.use(await browser.open(stage.system));
}, 120_000);
afterAll(() => parts.disposeAsync());

const account = async () =>
  (await stage.system.rest("GET", `/api/v1/issuers/${issuerId}/account`)).body.account;
const panel = () => view.page.getByRole("region", { name: "Account", exact: true });
const dialog = () => view.page.getByRole("dialog");

test("there is none before the first order", async () => {
  await view.goto(`/issuers/${issuerId}`);
  await panel().getByText("None is registered").waitFor();
  await expectFine(view, "an issuer without an account");
});

test("its key is changed, and a change that broke off is shown and gone on with", async () => {
  const { page } = view;
  await stage.system.renew(await stage.certificate(issuerId, ["account.test"]));
  const before = await account();
  await view.goto(`/issuers/${issuerId}`);
  await panel().getByText(before.key_thumbprint).waitFor();
  setReachable(false);
  await panel().getByRole("button", { name: "Change key…" }).click();
  await expectFine(view, "the change of an account's key");
  await screenshot(page, "account-change-key");
  await dialog().getByRole("button", { name: "Change 1 key" }).click();
  await dialog().getByRole("alert").waitFor();
  await expect.poll(() => view.problems.splice(0).length).toBeGreaterThan(0);
  await dialog().getByRole("button", { name: "Cancel" }).click();
  await panel().getByText("A change of its key is not over", { exact: false }).waitFor();
  await expectFine(view, "a change of an account's key that broke off");
  await screenshot(page, "account-key-changing");
  setReachable(true);
  await panel().getByRole("button", { name: "Change key…" }).click();
  await dialog().getByRole("button", { name: "Change 1 key" }).click();
  await panel().getByText(before.key_thumbprint).waitFor({ state: "detached" });
  const after = await account();
  expect(after).toMatchObject({ url: before.url, key_changing: false });
  await panel().getByText(after.key_thumbprint).waitFor();
  await expectFine(view, "an account with another key");
  await screenshot(page, "account");
});

test("it is closed once its issuer's name was typed", async () => {
  const { name } = (await stage.system.rest("GET", `/api/v1/issuers/${issuerId}`)).body;
  await panel().getByRole("button", { name: "Close account…" }).click();
  await dialog().getByLabel(`Type ${name} to go on`).fill(name);
  await expectFine(view, "the closing of an account");
  await dialog().getByRole("button", { name: "Close 1 account" }).click();
  await panel().getByText("None is registered").waitFor();
  expect(await account()).toBeNull();
});
