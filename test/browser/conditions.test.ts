import { afterAll, beforeAll, expect, test } from "vitest";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { type Estate, openEstate } from "./estate.ts";
import { expectFine, screenshot } from "./look.ts";

/** The main pages as some people have to see them. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let estate: Estate;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  estate = parts.use(await openEstate());
});
afterAll(() => parts.disposeAsync());

const pages = ["/", "/certificates", "/certificates/$certificate"];
const pathOf = (path: string) => path.replace("$certificate", estate.ids.certificate);

async function open(path: string, width: number): Promise<View> {
  const view = await browser.open(estate.system, { width });
  await view.page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  await view.goto(pathOf(path));
  return view;
}

test.each(pages)("%s can be used in forced colours: a state is more than its colour", async (path) => {
  await using view = await open(path, 1440);
  expect(await view.page.evaluate(() => matchMedia("(forced-colors: active)").matches)).toBe(true);
  await expectFine(view, `${path} in forced colours`);
  await screenshot(view.page, `forced-colours${path.replaceAll(/[/$]/g, "-")}`);
});

test.each(pages)("%s can be used at twice the size: half the width has room for everything", async (path) => {
  await using view = await browser.open(estate.system, { width: 720, height: 450 });
  await view.goto(pathOf(path));
  await expectFine(view, `${path} at 200 %`);
});

test("what becomes visible is visible at once, however deep it lies", async () => {
  await using view = await open("/", 1440);
  const shown = await view.page.evaluate(() => {
    const main = document.querySelector("main");
    const leaves = [...(main?.querySelectorAll("*") ?? [])].filter(({ children }) => children.length === 0);
    if (main) main.style.visibility = "hidden";
    const hidden = leaves.filter((leaf) => getComputedStyle(leaf).visibility === "hidden").length;
    if (main) main.style.visibility = "";
    const visible = leaves.filter((leaf) => getComputedStyle(leaf).visibility === "visible").length;
    return { hidden, visible, all: leaves.length };
  });
  expect(shown.all).toBeGreaterThan(20);
  expect(shown).toMatchObject({ hidden: shown.all, visible: shown.all });
});

test("nothing moves by itself for those who asked for that", async () => {
  await using view = await open("/certificates/$certificate", 1440);
  const running = await view.page.evaluate(() => {
    const lasting = (animation: Animation) => Number(animation.effect?.getComputedTiming().duration) > 1;
    return document.getAnimations().filter(lasting).length;
  });
  expect(running).toBe(0);
});
