import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startEmbeddedPostgres } from "../../src/platform/embedded-postgres.ts";
import { createLog } from "../../src/platform/log.ts";
import { runUntilStopped } from "../../src/platform/process.ts";
import { type Browser, openBrowser } from "../../test/browser/browser.ts";
import { type StagedSystem, stageSystem } from "../../test/stage-system.ts";
import { conditions, load } from "../conditions.ts";
import { changeCertificates, fillInventory } from "../inventory.ts";
import { percentiles } from "../percentiles.ts";
import { filterMs, heapMb, observe } from "./page.ts";

const longTaskMs = 200;

/**
 * The dashboard over a control plane with 100,000 certificates, in headless Chromium on the same machine.
 * npm run bench:web -- --certificates 100000 --storm-seconds 60 --heap-minutes 10
 */
await runUntilStopped(async (signal) => {
  const options = { certificates: 100_000, "storm-seconds": 60, "heap-minutes": 10 };
  const { values } = parseArgs({
    options: Object.fromEntries(Object.keys(options).map((name) => [name, { type: "string" as const }])),
  });
  const number = (name: keyof typeof options) => Number(values[name] ?? options[name]);
  const directory = await mkdtemp(join(tmpdir(), "certctl-bench-web-"));
  await using parts = new AsyncDisposableStack();
  parts.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const postgres = await startEmbeddedPostgres({
    directory: join(directory, "postgres"),
    log: createLog("warn"),
    signal,
  });
  parts.defer(() => postgres.stop());
  const env = {
    DATABASE_URL: postgres.url,
    CERTCTL_CONFIG_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
  };
  const staged = parts.use(await stageSystem({ isEmbedded: true, env }));
  await staged.system.renew(staged.certificateId);
  await fillInventory(postgres.url, staged.certificateId, number("certificates"));
  const browser = parts.use(await openBrowser());

  for (const line of await conditions(directory)) console.log(line);
  console.log(`inventory ${number("certificates")} certificates; one headless Chromium, nothing throttled\n`);
  await coldLoads(browser, staged);
  await filters(browser, staged);
  await storm(browser, staged, postgres.url, number("storm-seconds"));
  await heap(browser, staged, postgres.url, number("heap-minutes"));
  console.log(`load afterwards  ${load()}`);
});

/** Each in a browser profile of its own: nothing is in its cache. */
async function coldLoads(browser: Browser, { system }: StagedSystem): Promise<void> {
  const loads: (typeof globalThis.seen)[] = [];
  for (let time = 0; time < 5; time += 1) {
    await using view = await browser.open(system);
    await view.page.addInitScript(observe, longTaskMs);
    await view.goto("/");
    await view.page.waitForTimeout(1_000);
    loads.push(await view.page.evaluate(() => globalThis.seen));
  }
  const median = (read: (each: (typeof loads)[number]) => number) =>
    loads.map(read).sort((a, b) => a - b)[2] ?? 0;
  console.log(
    `cold load of /, median of 5     FCP ${median(({ fcpMs }) => fcpMs).toFixed(0)} ms, LCP ${median(({ lcpMs }) => lcpMs).toFixed(0)} ms (aim 800, limit 1500)`,
  );
  console.log(
    `layout shift, largest of 5      ${Math.max(...loads.map(({ cls }) => cls)).toFixed(4)} (aim 0, limit 0.05)`,
  );
}

async function filters(browser: Browser, { system }: StagedSystem): Promise<void> {
  await using view = await browser.open(system);
  const taken: number[] = [];
  for (let time = 0; time < 10; time += 1) {
    await view.goto("/certificates");
    taken.push(await filterMs(view.page, "Environment", /staging/));
    await view.goto("/certificates");
    taken.push(await filterMs(view.page, "Status", /^Active/));
  }
  const { p50, p95 } = percentiles(taken);
  console.log(
    `filter click to rows painted    p50 ${p50} ms, p95 ${p95} ms of ${taken.length} (aim 250, limit 600)`,
  );
}

async function storm(
  browser: Browser,
  { system }: StagedSystem,
  url: string,
  seconds: number,
): Promise<void> {
  await using view = await browser.open(system);
  await view.page.addInitScript(observe, longTaskMs);
  await view.goto("/certificates");
  await changeCertificates(url, 50, AbortSignal.timeout(seconds * 1_000));
  const { longTasks } = await view.page.evaluate(() => globalThis.seen);
  console.log(`tasks > ${longTaskMs} ms, ${seconds} s at 50/s    ${longTasks} (aim 0, limit 3)`);
}

async function heap(browser: Browser, { system }: StagedSystem, url: string, minutes: number): Promise<void> {
  await using view = await browser.open(system);
  await view.goto("/certificates");
  const session = await view.page.context().newCDPSession(view.page);
  await view.page.waitForTimeout(5_000);
  const before = await heapMb(session);
  await changeCertificates(url, 5, AbortSignal.timeout(minutes * 60_000));
  const after = await heapMb(session);
  console.log(
    `heap, ${minutes} min at 5/s          ${before.toFixed(1)} -> ${after.toFixed(1)} MB: ${(after - before).toFixed(1)} (aim < 10, limit 40)`,
  );
}
