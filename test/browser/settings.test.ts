import { afterAll, beforeAll, expect, test } from "vitest";
import { startReceiver } from "../receiver.ts";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** Keys, channels, what runs by itself, and how one likes it. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem({ env: { CERTCTL_EGRESS_ALLOW: "127.0.0.0/8, ::1/128" } }));
});
afterAll(() => parts.disposeAsync());

test("a key is created with what it reaches, shown once, given a new secret, and revoked", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/settings/api-keys");
  await page.getByRole("button", { name: "Create an API key" }).click();
  await page.getByLabel("Name").fill("deploys");
  await page.getByLabel("Role").selectOption("operator");
  await page.getByRole("group", { name: "Issuers" }).getByLabel("Local CA").check();
  await page.getByText("Only Local CA").waitFor();
  await expectFine(view, "api-key-new");
  await screenshot(page, "api-key-new");
  await page.getByRole("button", { name: "Create API key" }).click();
  const shown = page.getByRole("dialog").locator("pre");
  const secret = (await shown.textContent()) ?? "";
  const who = (apiKey: string) => system.rest("GET", "/api/v1/session", undefined, { apiKey });
  expect((await who(secret)).body).toMatchObject({ role: "operator", issuer_ids: ["iss-local"] });
  await screenshot(page, "api-key-secret");
  await page.getByRole("button", { name: "I have kept it" }).click();
  await page.getByRole("row").filter({ hasText: "deploys" }).waitFor();
  expect(await page.getByText(secret).count()).toBe(0);

  await page.getByRole("button", { name: "More for deploys" }).click();
  await page.getByRole("menuitem", { name: /new secret/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Give it a new secret" }).click();
  const second = (await shown.textContent()) ?? "";
  expect([(await who(secret)).status, (await who(second)).status]).toEqual([401, 200]);
  await page.getByRole("button", { name: "I have kept it" }).click();

  await page.getByRole("button", { name: "More for deploys" }).click();
  await page.getByRole("menuitem", { name: /Revoke it/ }).click();
  const revoke = page.getByRole("button", { name: "Revoke 1 key" });
  expect(await revoke.getAttribute("aria-disabled")).toBe("true");
  await page.getByLabel("Type deploys to go on").fill("deploys");
  await revoke.click();
  // Rows do not go from under the pointer.
  await page.mouse.move(0, 0);
  await page.getByRole("row").filter({ hasText: "deploys" }).waitFor({ state: "detached" });
  expect((await who(second)).body).toMatchObject({ reason: "KEY_REVOKED" });
});

test("the last admin key is not ended: the reason stands in the dialog", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/settings/api-keys?role=admin");
  await page.getByRole("button", { name: "More for first admin key" }).click();
  await page.getByRole("menuitem", { name: /Let it expire/ }).click();
  await page.getByRole("button", { name: "End it now" }).click();
  await page.getByText(/is the last admin key that is in force/).waitFor();
});

test("a channel is drawn from its kind's schema, and tested before it is kept", async () => {
  await using receiver = await startReceiver();
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/settings/channels");
  await page.getByText("Nobody is told of anything yet").waitFor();
  await page.getByRole("button", { name: "Add a channel" }).first().click();
  await page.getByLabel("Kind").selectOption({ label: "Webhook" });
  await page.getByLabel("Name", { exact: true }).fill("Pager");
  await page.getByLabel("URL").fill(receiver.url);
  await page.getByLabel(/^Secret/).fill("0123456789abcdef");
  await page.getByLabel(/^CA/).fill(receiver.ca);
  await expectFine(view, "channel-new");
  await screenshot(page, "channel-new");
  await page.getByRole("dialog").getByRole("button", { name: "Send a test message" }).click();
  await page.getByText("It works").waitFor();
  expect(receiver.received).toHaveLength(1);
  await page.getByRole("button", { name: "Add channel" }).click();
  await page.getByRole("row").filter({ hasText: "Pager" }).waitFor();
  const { body } = await system.rest("GET", "/api/v1/notifiers");
  expect(body.data[0]).toMatchObject({ name: "Pager", kind: "webhook", enabled: true });
});

test("a scheduled task runs now, and its result shows without a reload", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/settings/scheduler");
  const row = page.getByRole("row").filter({ hasText: "sessions" });
  const runs = async () =>
    (await system.rest("GET", "/api/v1/scheduler")).body.data.find(
      ({ name }: { name: string }) => name === "sessions",
    ).runs as number;
  const before = await runs();
  await page.getByRole("button", { name: "Run now: sessions" }).click();
  await expect.poll(runs).toBeGreaterThan(before);
  await row.getByText(String(await runs()), { exact: true }).waitFor();
});

test("what one likes is kept: theme, density, zone, and keys that do nothing by themselves", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/settings");
  await page.getByLabel("Light").check();
  await page.getByLabel("Compact").check();
  await page.getByLabel("UTC", { exact: true }).check();
  await page.getByLabel("Single keys are shortcuts").uncheck();
  await view.goto("/audit");
  expect(await page.locator("html").getAttribute("data-theme")).toBe("light");
  expect(await page.locator("html").getAttribute("data-density")).toBe("compact");
  await page
    .getByRole("cell")
    .filter({ hasText: /\d\d:\d\d:\d\d UTC/ })
    .first()
    .waitFor();
  await page.keyboard.press("?");
  expect(await page.getByRole("dialog").count()).toBe(0);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
});
