import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Browser, openBrowser, themes, widths } from "./browser.ts";
import { type Estate, type EstateId, openEstate } from "./estate.ts";
import { expectFine, screenshot } from "./look.ts";

/** Every page, in both themes and three widths. */

/** The variables of a path by the estate's ids. */
const variables: Record<string, Record<string, EstateId>> = {
  "/certificates/$id": { id: "certificate" },
  "/certificates/$id/$tab": { id: "certificate" },
  "/certificates/$id/versions/$version": { id: "certificate", version: "version" },
  "/jobs/$id": { id: "job" },
  "/operations/$id": { id: "operation" },
  "/agents/$id": { id: "agent" },
  "/targets/$id": { id: "target" },
  "/issuers/$id": { id: "issuer" },
  "/authorities/$id": { id: "authority" },
  "/policies/$id": { id: "policy" },
  "/owners/$id": { id: "owner" },
  "/teams/$id": { id: "team" },
  "/audit/$id": { id: "event" },
};
const tabs = ["journey", "targets", "versions", "chain", "explain", "history"];

const source = await readFile("web/src/routes.tsx", "utf8");
const routes = Array.from(source.matchAll(/path: "([^"]+)"/g), ([, path = ""]) => path).flatMap((path) =>
  path.endsWith("/$tab")
    ? tabs.map((tab) => [path, path.replace("$tab", tab)] as const)
    : [[path, path] as const],
);

const parts = new AsyncDisposableStack();
let browser: Browser;
let estate: Estate;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  estate = parts.use(await openEstate());
});
afterAll(() => parts.disposeAsync());

function pathOf(route: string, filled: string): string {
  return filled.replaceAll(/\$(\w+)/g, (_, name: string) => {
    const id = variables[route]?.[name];
    if (!id) throw new Error(`test/browser/routes.test.ts does not say what $${name} of ${route} is`);
    return estate.ids[id];
  });
}

test("the table knows every page", () => {
  expect(routes.length).toBeGreaterThan(30);
});

test.each(routes)(
  "%s (%s) is fine in both themes and three widths",
  { timeout: 120_000 },
  async (route, filled) => {
    const apiKey = route === "/sign-in" ? null : estate.system.adminKey;
    await using view = await browser.open(estate.system, { apiKey });
    const { page } = view;
    await view.goto(pathOf(route, filled));
    const name = filled.replaceAll(/^\/|\$/g, "").replaceAll("/", "-") || "overview";
    for (const theme of themes) {
      await page.evaluate((value) => {
        document.documentElement.dataset["theme"] = value;
      }, theme);
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        await view.settle();
        await expectFine(view, `${filled} ${theme} ${width}`);
        await screenshot(page, `${name}-${theme}-${width}`);
      }
    }
  },
);
