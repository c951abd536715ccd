import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** Who did what: as it happens, as it is filtered, and as it is saved. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem());
  for (let count = 0; count < 30; count += 1) await newTeam(`before ${count}`);
});
afterAll(() => parts.disposeAsync());

async function newTeam(name: string): Promise<string> {
  return (await system.rest("POST", "/api/v1/teams", { name })).body.id;
}

const cell = ({ page }: View, text: string) => page.getByRole("cell").filter({ hasText: text }).first();
const rowCount = ({ page }: View) => page.locator("tbody tr").count();

test("what is done shows at once; reading it leaves no trace", async () => {
  await using view = await browser.open(system);
  await view.goto("/audit");
  await view.page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  const team = await newTeam("live");
  await cell(view, team).waitFor();
  const before = (await system.rest("GET", "/api/v1/audit")).body.total;
  await view.page.reload();
  await view.settle();
  await view.page.getByRole("link", { name: "Team created" }).first().click();
  await view.page.getByRole("dialog").getByText("live").waitFor();
  await expectFine(view, "audit-peek");
  await screenshot(view.page, "audit-peek");
  expect((await system.rest("GET", "/api/v1/audit")).body.total).toBe(before);
});

test("a paused tail says how many are new, and loses none", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/audit");
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  const made: string[] = [];
  for (let count = 0; count < 7; count += 1) made.push(await newTeam(`paused ${count}`));
  const resume = page.getByRole("button", { name: "Paused, 7 new" });
  await resume.waitFor();
  await screenshot(page, "audit-paused");
  expect(await page.getByText(made[6] ?? "").count()).toBe(0);
  await resume.click();
  for (const id of made) await cell(view, id).waitFor();
});

test("it pauses by itself when one scrolls down to read", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/audit");
  await page.locator("main").evaluate((main) => main.scrollTo({ top: 400 }));
  await page.getByRole("button", { name: "Paused, 0 new" }).waitFor();
  await newTeam("meanwhile");
  const resume = page.getByRole("button", { name: "Paused, 1 new" });
  await resume.waitFor();
  await resume.click();
  await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
});

test("filters lie in the URL: they hold on reload, for others, and back again", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  const { body: agent } = await system.rest("POST", "/api/v1/agents", { name: "by a filter" });
  await view.goto("/audit");
  await page.getByRole("button", { name: "Action" }).click();
  await page.getByRole("menuitemcheckbox", { name: /^Agent created/ }).click();
  await page.keyboard.press("Escape");
  await page.waitForURL((url) => url.searchParams.get("action") === "agent_created");
  await view.settle();
  await expect.poll(() => rowCount(view)).toBe(1);
  await page.reload();
  await view.settle();
  expect(await rowCount(view)).toBe(1);
  await cell(view, agent.id).waitFor();
  await page.getByLabel("When").selectOption("-1h");
  await page.waitForURL((url) => url.searchParams.get("from") === "-1h");
  const other = await view.newTab();
  await other.page.goto(page.url());
  await other.settle();
  expect(await rowCount(other)).toBe(1);
  await page.goBack();
  await page.waitForURL((url) => !url.searchParams.has("from"));
  await page.goBack();
  await page.waitForURL((url) => !url.searchParams.has("action"));
  await expect.poll(() => rowCount(view)).toBeGreaterThan(10);
});

test("a time and an actor narrow it, and nothing else is shown", async () => {
  await using view = await browser.open(system);
  const { body: key } = await system.rest("POST", "/api/v1/api-keys", { name: "someone", role: "admin" });
  const own = { apiKey: key.api_key };
  await system.rest("POST", "/api/v1/teams", { name: "by someone" }, own);
  await view.goto(`/audit?actor=${key.id}`);
  expect(await rowCount(view)).toBe(1);
  await cell(view, "someone").waitFor();
  await view.goto("/audit?from=2020-01-01T00:00&to=2020-01-02T00:00");
  await view.page.getByText("No event matches").waitFor();
  await view.page.getByRole("button", { name: "Clear the filters" }).click();
  await expect.poll(() => rowCount(view)).toBeGreaterThan(10);
});

test("what is exported is what is filtered, as CSV and as lines of JSON", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/audit?action=team_created&page=1");
  const { body } = await system.rest("GET", "/api/v1/audit?action=team_created");
  const save = async (item: RegExp) => {
    await page.getByRole("button", { name: "More" }).click();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: item }).click(),
    ]);
    return readFile(await file.path(), "utf8");
  };
  const lines = (await save(/lines of JSON/)).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).action)).toEqual(Array(body.total).fill("team_created"));
  const table = (await save(new RegExp(`Export ${body.total} events as CSV`))).trim().split("\r\n");
  expect(table).toHaveLength(body.total + 1);
});
