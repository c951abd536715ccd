import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { movableClock } from "../faketime.ts";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** What people are told, as its reader meets it: folded, and put away by the keyboard. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;
let view: View;
let clockFile: string;
let issuedMs: number;
const dayMs = 86_400_000;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "certctl-clock-"));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  clockFile = join(directory, "clock");
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem({ env: await movableClock(clockFile) }));
  const agent = parts.use(await system.startAgent("ag-web"));
  const policy = { id: "rp-by-hand", name: "By hand", auto_renew: false, alert_thresholds_days: [30, 14, 7] };
  const { body: notifier } = await system.rest("POST", "/api/v1/notifiers", {
    name: "Pager",
    kind: "webhook",
    config: { url: "https://localhost:9/hook", secret: "0123456789abcdef" },
  });
  const channels = [{ notifier_id: notifier.id, thresholds_days: [30, 14, 7], events: [] }];
  const made = await system.rest("POST", "/api/v1/renewal-policies", { ...policy, channels });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  const { body: certificate } = await system.rest("POST", "/api/v1/certificates", {
    name: "shop",
    common_name: "shop.example.test",
    agent_id: agent.id,
    renewal_policy_id: policy.id,
  });
  await system.renew(certificate.id);
  issuedMs = Date.now();
  view = parts.use(await browser.open(system));
});
afterAll(() => parts.disposeAsync());

/** Lets the control plane live so many days before the certificate's end, and look for what has to be told. */
async function daysBeforeTheEnd(days: number): Promise<void> {
  const offset = Math.round((issuedMs + 46 * dayMs - Date.now() - days * dayMs) / 1_000) + 60;
  await writeFile(clockFile, `+${offset}`);
  await expect
    .poll(async () => {
      await system.rest("POST", "/api/v1/scheduler/expiry-alerts/run", {});
      const { body } = await system.rest("GET", "/api/v1/notifications?type=CertificateExpiring");
      return body.data?.some((told: { threshold_days: number }) => told.threshold_days === days);
    })
    .toBe(true);
}

test("the crossings of a certificate's thresholds are one row, the newest with the count of the earlier", {
  timeout: 120_000,
}, async () => {
  await view.goto("/inbox");
  await view.page.getByText("Nothing needs you").waitFor();
  for (const [earlier, days] of [30, 14, 7].entries()) {
    await daysBeforeTheEnd(days);
    // A session does not last that long: one signs in again.
    view = parts.use(await browser.open(system));
    await view.goto("/inbox");
    const row = view.page.getByRole("table", { name: "Inbox" }).locator("tbody tr");
    await row.getByText("shop.example.test expires in").waitFor();
    await row.getByText(earlier === 0 ? "the first time" : `${earlier} earlier`).waitFor();
    expect(await row.count()).toBe(1);
  }
  await expectFine(view, "a folded group");
  await screenshot(view.page, "inbox-folded");
  const { body } = await system.rest("GET", "/api/v1/notification-groups?state=open");
  expect(body.data).toMatchObject([{ count: 3, newest: { threshold_days: 7 } }]);
});

test("a problem is opened, and shows all that was said and to whom it could not be said", async () => {
  const { page } = view;
  await page.getByRole("button", { name: /shop.example.test expires in/ }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByText("What was said, and who was told").waitFor();
  await expect.poll(() => sheet.locator("section li").count()).toBe(3);
  await sheet.getByRole("link", { name: "Show the certificate" }).waitFor();
  await view.settle();
  await expectFine(view, "a problem");
  await screenshot(page, "inbox-problem");
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });
});

test("the keyboard acknowledges and snoozes; what is put away comes back when it should", {
  timeout: 60_000,
}, async () => {
  const { page } = view;
  const tab = (name: string) =>
    page.getByRole("navigation", { name: "Views of the inbox" }).getByRole("link", { name });
  await page.getByRole("heading", { name: "Inbox", level: 1 }).click();
  await page.keyboard.press("j");
  await page.keyboard.press("e");
  await page.getByText("Nothing needs you").waitFor();
  await tab("Acknowledged").click();
  await page.getByRole("button", { name: /shop.example.test expires in/ }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByRole("button", { name: "Reopen 1 problem" }).click();
  await page.getByText("Nothing is acknowledged").waitFor();
  await tab("Open").click();
  await page.getByRole("button", { name: /shop.example.test expires in/ }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("s");
  await page.getByText("Nothing needs you").waitFor();
  await tab("Snoozed").click();
  await page.getByRole("button", { name: /shop.example.test expires in/ }).waitFor();
  await view.settle();
  await screenshot(page, "inbox-snoozed");
  const { body } = await system.rest("GET", "/api/v1/audit?resource_type=notification");
  const actions = body.data.map(({ action }: { action: string }) => action);
  for (const action of ["notifications_acknowledged", "notifications_reopened", "notifications_snoozed"])
    expect(actions).toContain(action);
  expect(view.problems).toEqual([]);
});
