import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDashboard } from "../../src/dashboard/serve.ts";
import type { HttpRequest, HttpResponse } from "../../src/platform/http-message.ts";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** The dashboard's files without a control plane behind them, and beside one. */

const parts = new AsyncDisposableStack();
let browser: Browser;
/** Serves the files; nothing answers its API. */
let place: Pick<System, "url" | "adminKey">;

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  const dashboard = await createDashboard("web/dist");
  const server = createServer((request, response) => {
    if (dashboard(request as HttpRequest, response as HttpResponse)) return;
    response.statusCode = 502;
    response.end("<h1>Bad gateway</h1>");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  parts.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  place = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, adminKey: "" };
});
afterAll(() => parts.disposeAsync());

const open = () => browser.open(place as System, { apiKey: null });
const banner = ({ page }: View) => page.getByRole("complementary", { name: "Demo" });

test("a new browser that reaches no control plane is shown the demo, and told so", async () => {
  await using view = await open();
  const { page } = view;
  await page.goto(place.url);
  await banner(view).waitFor();
  expect(await page.title()).toMatch(/^\[Demo\] /);
  expect(await page.locator("link[rel=icon]").getAttribute("href")).toBe("/favicon-demo.svg");
});

test("a browser that had a session here is never shown made-up data", async () => {
  await using view = await open();
  const { page } = view;
  await page.addInitScript(() => localStorage.setItem("certctl.held-session", "1"));
  await page.goto(`${place.url}/certificates`);
  await page.getByText("Could not load the certificates").waitFor();
  expect(await banner(view).count()).toBe(0);
});

const pages = [
  "/",
  "/certificates",
  "/certificates/mc-shop-1",
  "/certificates/mc-shop-1/versions",
  "/certificates/mc-shop-1/chain",
  "/certificates/mc-shop-1/explain",
  "/certificates/mc-shop-1/history",
  "/renewals",
  "/jobs",
  "/operations",
  "/inbox",
  "/agents",
  "/agents/ag-web-1",
  "/targets",
  "/targets/tgt-web-1",
  "/map",
  "/issuers",
  "/issuers/iss-local",
  "/policies",
  "/policies/renewal",
  "/policies/pr-lifetime",
  "/owners",
  "/owners/teams",
  "/owners/o-ada",
  "/teams/t-web",
  "/audit",
  "/settings",
  "/settings/api-keys",
  "/settings/channels",
  "/settings/scheduler",
];

test.each(pages)("the demo has %s, and asks nobody for it", async (path) => {
  await using view = await open();
  const { page } = view;
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${place.url}/?demo=1`);
  await banner(view).waitFor();
  await view.goto(path);
  expect(await page.getByRole("alert").allTextContents()).toEqual([]);
  await expectFine(view, `demo ${path}`);
  await screenshot(page, `demo${path.replaceAll("/", "-")}`);
  expect(asked.filter((each) => each.startsWith("/api/"))).toEqual([]);
});

test("a renewal in the demo is followed to its proof, and the banner stays", async () => {
  await using view = await open();
  const { page } = view;
  await page.goto(`${place.url}/?demo=1`);
  await view.goto("/certificates/mc-pay-1");
  await page.getByRole("button", { name: "Renew now" }).click();
  await page.getByText("Renewal queued").waitFor();
  await page.getByRole("heading", { name: "Certificate of" }).waitFor();
  await page.getByText("v5").first().waitFor();
  expect(await banner(view).count()).toBe(1);
  expect(view.problems).toEqual([]);
});

test("beside a control plane the demo stays apart from it, and can be left", async () => {
  await using system = await startSystem();
  await using view = await browser.open(system, { apiKey: null });
  const { page } = view;
  await page.goto(`${system.url}/certificates?demo=1`);
  await banner(view).waitFor();
  await page.getByRole("link", { name: "shop-1", exact: true }).waitFor();
  await page.getByRole("button", { name: "Leave the demo" }).click();
  await page.getByRole("heading", { name: /Sign in/ }).waitFor();
  expect(await banner(view).count()).toBe(0);
});
