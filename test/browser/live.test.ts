import { afterAll, beforeAll, expect, test } from "vitest";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { screenshot } from "./look.ts";

/** What is shown follows what is, without asking again and again. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem());
  await system.rest("POST", "/api/v1/agents", { id: "ag-one", name: "one" });
});
afterAll(() => parts.disposeAsync());

const connection = ({ page }: View, text: string) =>
  page.getByRole("status").filter({ hasText: text }).waitFor();
const shows = ({ page }: View, name: string) => page.getByRole("link", { name, exact: true }).waitFor();

let count = 0;
async function newCertificate(): Promise<string> {
  count += 1;
  const name = `live-${count}`;
  const wanted = { name, common_name: `${name}.example.test`, agent_id: "ag-one" };
  const { status, body } = await system.rest("POST", "/api/v1/certificates", wanted);
  expect(status, JSON.stringify(body)).toBe(201);
  return name;
}

function requestsOf(view: View): string[] {
  const paths: string[] = [];
  view.page.context().on("request", (request) => paths.push(new URL(request.url()).pathname));
  return paths;
}

test("a page shows what changes, and asks for nothing while nothing does", async () => {
  await using view = await browser.open(system);
  await view.goto("/certificates");
  await connection(view, "Live");
  const name = await newCertificate();
  await shows(view, name);
  await view.settle();
  const requests = requestsOf(view);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(requests).toEqual([]);
  expect(view.problems).toEqual([]);
});

test("when the control plane is gone, a page says of when it is, and comes back by itself without a loss", {
  timeout: 90_000,
}, async () => {
  await using view = await browser.open(system);
  const { page } = view;
  const before = await newCertificate();
  await view.goto("/certificates");
  await connection(view, "Live");
  await shows(view, before);
  await system.server().end("SIGKILL");
  await connection(view, "Reconnecting");
  await page.getByText(/data as of \d\d:\d\d/).waitFor();
  expect(await page.locator("main").getAttribute("class")).toContain("stale");
  await shows(view, before);
  await screenshot(page, "reconnecting");
  await system.restartServer();
  const during = await newCertificate();
  await connection(view, "Live");
  await shows(view, during);
  const { body } = await system.rest("GET", "/api/v1/certificates?per_page=100");
  await expect.poll(() => page.locator("tbody tr").count()).toBe(body.data.length);
  expect(await page.locator("main").getAttribute("class")).not.toContain("stale");
});

test("eight tabs are all live by one stream, and calls get through", {
  timeout: 120_000,
}, async () => {
  await using view = await browser.open(system);
  const requests = requestsOf(view);
  const tabs: View[] = [view];
  while (tabs.length < 8) tabs.push(await view.newTab());
  for (const tab of tabs) await tab.goto("/certificates");
  for (const tab of tabs) await connection(tab, "Live");
  const name = await newCertificate();
  for (const tab of tabs) await shows(tab, name);
  expect(requests.filter((path) => path === "/api/v1/events")).toHaveLength(1);
  // Whoever has the stream closes; another goes on with it.
  const [leader, ...others] = tabs;
  await leader?.page.close();
  const next = await newCertificate();
  for (const tab of others) await shows(tab, next);
  expect(requests.filter((path) => path === "/api/v1/events")).toHaveLength(2);
  for (const tab of others) expect(tab.problems).toEqual([]);
});
