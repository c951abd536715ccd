import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { View } from "./browser.ts";

const axeSource = readFileSync(join(import.meta.dirname, "../../node_modules/axe-core/axe.min.js"), "utf8");
const screens = join(import.meta.dirname, "screens");

declare global {
  var axe: {
    run(
      context: unknown,
      options: unknown,
    ): Promise<{
      violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
    }>;
  };
}

/** What axe finds wrong: in the dialog that is open, or in the whole page. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const root = document.querySelector("dialog[open], [role=dialog]") ?? document;
    const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await globalThis.axe.run(root, { runOnly: { type: "tag", values } });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html.slice(0, 300)}\n  ${failureSummary}`),
    );
  });
}

/** Texts that only a mistake brings onto a page. */
const cannotHappen = /\bNaN\b|\bundefined\b|\bnull\b|Invalid Date|-\d+ days|\[object|\b0001-|\b1970-/;

/**
 * Holds a page to what holds for every page: one heading, a main part, a title, no horizontal scroll, something on it and
 * nothing that cannot be, no complaint of axe, and no problem.
 */
export async function expectFine({ page, problems }: View, name: string): Promise<void> {
  const state = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const main = document.querySelector("main");
    return {
      headings: document.querySelectorAll("h1").length,
      mains: document.querySelectorAll("main").length,
      title: document.title,
      overflow: Math.max(scrollWidth - clientWidth, (main?.scrollWidth ?? 0) - (main?.clientWidth ?? 0)),
      // biome-ignore lint/performance/useDomNodeTextContent: what is seen counts
      text: document.body.innerText,
    };
  });
  expect.soft(state, name).toMatchObject({ headings: 1, mains: 1, overflow: 0 });
  expect.soft(state.title, `${name}: title`).toMatch(/\S+ · certctl$/);
  expect.soft(state.text.length, `${name}: blank`).toBeGreaterThan(40);
  expect.soft(cannotHappen.exec(state.text)?.[0], `${name}: cannot happen`).toBeUndefined();
  expect.soft(await violations(page), `${name}: axe`).toEqual([]);
  expect.soft(problems, `${name}: problems`).toEqual([]);
}

/**
 * Takes the answers of these statuses off a page's problems, and expects no other. Chromium notes each on the console, a while after
 * the page has shown it.
 */
export async function expectAnswers({ problems }: View, ...statuses: number[]): Promise<void> {
  await expect.poll(() => problems.length).toBe(statuses.length);
  expect(problems.splice(0)).toEqual(statuses.map((each) => expect.stringContaining(`status of ${each}`)));
}

/** Leaves a picture in test/browser/screens, to be looked at; fails when there is nothing on it. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir(screens, { recursive: true });
  const path = join(screens, `${name}.png`);
  const image = await page.screenshot({ path, animations: "disabled" });
  const probe = await page.context().newPage();
  const colours = await probe.evaluate(countColours, `data:image/png;base64,${image.toString("base64")}`);
  await probe.close();
  expect.soft(colours, `${name}: colours on the screen`).toBeGreaterThan(8);
}

/** How many colours a picture has, of a sample of its points. */
async function countColours(url: string): Promise<number> {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  if (!context) return 0;
  context.drawImage(image, 0, 0);
  const points = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  return new Set(points).size;
}
