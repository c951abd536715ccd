import type { CDPSession, Page } from "playwright-core";

declare global {
  var seen: { lcpMs: number; fcpMs: number; cls: number; longTasks: number };
}

/** Notes in a page what Chromium says of its painting; `longMs`: what a task has to last to be counted. */
export function observe(longMs: number): void {
  globalThis.seen = { lcpMs: 0, fcpMs: 0, cls: 0, longTasks: 0 };
  const watch = (type: string, note: (entry: PerformanceEntry) => void) =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  watch("largest-contentful-paint", ({ startTime }) => {
    globalThis.seen.lcpMs = startTime;
  });
  watch("paint", ({ name, startTime }) => {
    if (name === "first-contentful-paint") globalThis.seen.fcpMs = startTime;
  });
  watch("layout-shift", (entry) => {
    const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
    if (!hadRecentInput) globalThis.seen.cls += value;
  });
  watch("longtask", ({ duration }) => {
    if (duration > longMs) globalThis.seen.longTasks += 1;
  });
}

/** Milliseconds from choosing a facet's value to its rows being painted. */
export async function filterMs(page: Page, facet: string, value: RegExp): Promise<number> {
  await page.getByRole("button", { name: facet, exact: false }).first().click();
  const item = page.getByRole("menuitemcheckbox", { name: value });
  await item.waitFor();
  await page.evaluate(() => {
    const busy = () => document.querySelector("table[aria-busy=true]") !== null;
    const state = { startedAt: 0, wasBusy: false };
    const done = new Promise<number>((resolve) => {
      const look = () => {
        state.wasBusy ||= busy();
        if (state.startedAt > 0 && state.wasBusy && !busy())
          requestAnimationFrame(() => resolve(performance.now() - state.startedAt));
        else requestAnimationFrame(look);
      };
      look();
    });
    document.addEventListener(
      "click",
      () => {
        state.startedAt ||= performance.now();
      },
      { capture: true, once: true },
    );
    Object.assign(globalThis, { filtered: done });
  });
  await item.click();
  const ms = await page.evaluate(() => (globalThis as unknown as { filtered: Promise<number> }).filtered);
  await page.keyboard.press("Escape");
  return ms;
}

/** MB in use after what is not needed any more was given back. */
export async function heapMb(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 2 ** 20;
}
