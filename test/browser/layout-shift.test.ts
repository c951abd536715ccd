import { afterAll, beforeAll, expect, test } from "vitest";
import { observe } from "../../bench/web/page.ts";
import { type Browser, openBrowser } from "./browser.ts";
import { type Estate, openEstate } from "./estate.ts";

/** What is drawn stays where it is drawn (Cumulative Layout Shift). */

const limit = 0.05;
const parts = new AsyncDisposableStack();
let browser: Browser;
let estate: Estate;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  estate = parts.use(await openEstate());
});
afterAll(() => parts.disposeAsync());

const pages = [
  "/",
  "/certificates",
  "/certificates/$certificate",
  "/renewals",
  "/jobs",
  "/inbox",
  "/agents",
  "/map",
  "/audit",
];

test.each(pages.flatMap((path) => [1440, 390].map((width) => [path, width] as const)))(
  "%s does not move as it loads, %i px wide",
  async (path, width) => {
    await using view = await browser.open(estate.system, { width });
    await view.page.addInitScript(observe, 200);
    await view.goto(path.replace("$certificate", estate.ids.certificate));
    await view.page.waitForTimeout(500);
    const { cls, fcpMs } = await view.page.evaluate(() => globalThis.seen);
    expect(fcpMs).toBeGreaterThan(0);
    expect(cls).toBeLessThan(limit);
  },
);
