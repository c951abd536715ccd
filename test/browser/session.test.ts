import { afterAll, beforeAll, expect, test } from "vitest";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** Coming in, going out, and being sent out. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem());
});
afterAll(() => parts.disposeAsync());

const isAt = ({ page }: View, path: string) => page.waitForURL((url) => url.pathname === path);

/** Chromium notes every answer of 401 on the console. */
function withoutRefusals({ problems }: View): string[] {
  return problems.filter((problem) => !problem.includes("status of 401"));
}

test("who is not signed in is asked for a key and comes to where he wanted to go", async () => {
  await using view = await browser.open(system, { apiKey: null });
  const { page } = view;
  await page.goto(`${system.url}/certificates?q=web`);
  await isAt(view, "/sign-in");
  await page.getByRole("heading", { name: "Sign in to certctl" }).waitFor();
  await page.getByText("admin.key").waitFor();
  await expect.poll(() => view.problems.splice(0).length).toBeGreaterThan(0);
  await expectFine(view, "sign-in");

  await page.getByLabel("API key").fill("ak-wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("The API key is unknown or wrong").waitFor();
  await screenshot(page, "sign-in-refused");
  await page.getByLabel("API key").fill(system.adminKey);
  await page.keyboard.press("Enter");
  await isAt(view, "/certificates");
  expect(new URL(page.url()).search).toBe("?q=web");
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  expect(await page.evaluate(() => document.cookie)).toBe("");
  expect(withoutRefusals(view)).toEqual([]);
});

test("signing out in one tab ends all, and the session itself", async () => {
  await using view = await browser.open(system);
  await view.goto("/certificates");
  const other = await view.newTab();
  await other.goto("/jobs");
  const [cookie] = await view.page.context().cookies();
  await view.page.getByRole("button", { name: "Account and preferences" }).click();
  await view.page.getByText("first admin key").waitFor();
  await screenshot(view.page, "account-menu");
  await view.page.getByRole("menuitem", { name: "Sign out" }).click();
  await Promise.all([isAt(view, "/sign-in"), isAt(other, "/sign-in")]);
  expect(new URL(other.page.url()).searchParams.get("next")).toBe("/jobs");
  expect(await view.page.context().cookies()).toEqual([]);
  const headers = { cookie: `${cookie?.name}=${cookie?.value}` };
  const after = await system.rest("GET", "/api/v1/session", undefined, { apiKey: null, headers });
  expect(after.status).toBe(401);
  expect([...withoutRefusals(view), ...withoutRefusals(other)]).toEqual([]);

  await other.page.getByLabel("API key").fill(system.adminKey);
  await other.page.keyboard.press("Enter");
  await Promise.all([isAt(view, "/certificates"), isAt(other, "/jobs")]);
});

test("whose key is revoked is sent out at once, without a click", async () => {
  const { body: key } = await system.rest("POST", "/api/v1/api-keys", { name: "gone soon", role: "viewer" });
  await using view = await browser.open(system, { apiKey: key.api_key });
  await view.goto("/agents");
  await view.page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  await system.rest("DELETE", `/api/v1/api-keys/${key.id}`);
  await isAt(view, "/sign-in");
});

test("a session that is about to end says so, and goes on when somebody is there", async () => {
  await using view = await browser.open(system);
  await view.page.clock.install();
  await view.goto("/certificates");
  await view.page.clock.fastForward("26:00");
  const stay = view.page.getByRole("button", { name: "Stay signed in" });
  await stay.waitFor();
  await expectFine(view, "session-notice");
  await screenshot(view.page, "session-notice");
  await stay.click();
  await stay.waitFor({ state: "detached" });
});

test("a viewer sees what he may not do, and why; the control plane refuses the call itself", async () => {
  const { body: key } = await system.rest("POST", "/api/v1/api-keys", { name: "looks", role: "viewer" });
  await using view = await browser.open(system, { apiKey: key.api_key });
  const { page } = view;
  await view.goto("/certificates");
  const issue = page.getByRole("button", { name: "Issue a certificate" }).first();
  await expect.poll(() => issue.getAttribute("aria-disabled")).toBe("true");
  await issue.focus();
  await page.getByText("Needs certificates:write, which a key with the role viewer does not have").waitFor();
  await issue.click({ force: true });
  expect(await page.getByRole("dialog").count()).toBe(0);
  expect(await page.getByRole("navigation", { name: "Views" }).getByText("Audit").count()).toBe(0);
  const status = await page.evaluate(
    async () =>
      (
        await fetch("/api/v1/certificates", {
          method: "POST",
          body: "{}",
          headers: { "content-type": "application/json" },
        })
      ).status,
  );
  expect(status).toBe(403);
});
