import { afterAll, beforeAll, expect, test } from "vitest";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { screenshot } from "./look.ts";

/** What one sees lies in the address: for a reload, for somebody else, and for the way back. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem());
  await system.rest("POST", "/api/v1/agents", { id: "ag-one", name: "one" });
  for (const name of ["alpha", "beta", "gamma"])
    await system.rest("POST", "/api/v1/certificates", {
      name,
      common_name: `${name}.example.test`,
      agent_id: "ag-one",
      environment: name === "beta" ? "staging" : "production",
    });
});
afterAll(() => parts.disposeAsync());

/** The names that the list shows, from top to bottom. */
const names = ({ page }: View) =>
  page.evaluate(() =>
    Array.from(
      document.querySelectorAll("tbody tr[data-row]"),
      (row) => row.querySelector("a")?.textContent ?? "",
    ),
  );

test("a filtered and sorted list is the same after a reload, for somebody else, and undone step by step", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/certificates");
  expect((await names(view)).sort()).toEqual(["alpha", "beta", "gamma"]);
  await page.getByRole("button", { name: "Environment" }).click();
  await page.getByRole("menuitemcheckbox", { name: "production" }).click();
  await page.keyboard.press("Escape");
  await expect.poll(() => names(view).then((all) => all.sort())).toEqual(["alpha", "gamma"]);
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  await page.waitForURL((url) => url.searchParams.has("sort"));
  await view.settle();
  const shown = await names(view);
  expect(shown).toHaveLength(2);

  await page.reload();
  await view.settle();
  await expect.poll(() => names(view)).toEqual(shown);

  const { body: key } = await system.rest("POST", "/api/v1/api-keys", {
    name: "a colleague",
    role: "viewer",
  });
  await using colleague = await browser.open(system, { apiKey: key.api_key, theme: "light" });
  await colleague.page.goto(page.url());
  await colleague.settle();
  await expect.poll(() => names(colleague)).toEqual(shown);

  await page.goBack();
  await page.waitForURL((url) => !url.searchParams.has("sort") && url.searchParams.has("environment"));
  await page.goBack();
  await page.waitForURL((url) => !url.searchParams.has("environment"));
  await expect.poll(() => names(view).then((all) => all.length)).toBe(3);
});

test("a row is a link of its own: it opens in another tab, and back leads to the same list", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/certificates?q=alpha");
  await expect.poll(() => names(view)).toEqual(["alpha"]);
  const [tab] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: "alpha", exact: true }).click({ button: "middle" }),
  ]);
  await tab.getByRole("heading", { name: "alpha" }).waitFor();
  await tab.close();
  await page.getByRole("link", { name: "alpha", exact: true }).click();
  await page.getByRole("heading", { name: "alpha" }).waitFor();
  await page.goBack();
  await expect.poll(() => names(view)).toEqual(["alpha"]);
});

test("a filter that is typed while the pointer rests on the list shows its rows at once", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/certificates");
  await page.locator("tbody tr[data-row]").first().hover();
  await page.keyboard.press("/");
  await page.keyboard.type("beta");
  await expect.poll(() => names(view)).toEqual(["beta"]);
  expect(await page.getByText(/waiting: show/).count()).toBe(0);
});

test("rows that come while the pointer rests on the list wait until it leaves, and move nothing", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/certificates");
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  const before = await names(view);
  const first = page.locator("tbody tr[data-row]").first();
  await first.hover();
  const place = await first.boundingBox();
  const wanted = { name: "delta", common_name: "delta.example.test", agent_id: "ag-one" };
  await system.rest("POST", "/api/v1/certificates", wanted);
  await page.getByRole("button", { name: "1 change waiting: show" }).waitFor();
  expect(await names(view)).toEqual(before);
  expect(await first.boundingBox()).toEqual(place);
  await screenshot(page, "certificates-waiting");
  await page.mouse.move(0, 0);
  await expect.poll(() => names(view)).toContain("delta");
});
