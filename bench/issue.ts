import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { startEmbeddedPostgres } from "../src/platform/embedded-postgres.ts";
import { runUntilStopped } from "../src/platform/process.ts";
import { StartupError } from "../src/platform/startup-error.ts";
import { conditions, load } from "./conditions.ts";
import { type Issuance, openIssuing } from "./issuing.ts";
import { percentiles } from "./percentiles.ts";

const inFlight = 64;
const warmUps = 256;

function countOf(args: string[]): number {
  const { values } = parseArgs({
    args,
    options: { count: { type: "string", default: "5000" } },
    strict: false,
  });
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1)
    throw new StartupError("usage: npm run bench:issue -- --count 5000");
  return count;
}

/**
 * How many certificates the local CA issues in a second: from the handler of SubmitCsr, in process, with 64 calls in flight, to
 * the committed version. npm run bench:issue -- --count 5000
 */
await runUntilStopped(async (signal) => {
  const count = countOf(process.argv.slice(2));
  await using parts = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "certctl-bench-"));
  parts.defer(() => rm(dataDir, { recursive: true, force: true }));
  const log = pino({ level: "warn" });
  const postgres = await startEmbeddedPostgres({ directory: join(dataDir, "postgres"), log });
  parts.defer(() => postgres.stop());
  const issuing = parts.use(await openIssuing(postgres.url, signal));
  for (const line of await conditions(dataDir)) console.log(line);
  console.log(`count     ${count} certificates, ${inFlight} calls in flight, after ${warmUps} to warm up\n`);
  const issuances = await issuing.prepare(warmUps + count);
  await submitAll(issuances.slice(0, warmUps));
  await issuing.published(warmUps);
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  const latencies = await submitAll(issuances.slice(warmUps));
  const acceptedMs = performance.now() - startedMs;
  await issuing.published(warmUps + count);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system: kernel } = process.cpuUsage(cpu);
  const perSecond = Math.round(count / seconds);
  const accepted = percentiles(latencies);
  console.log(`accepted after ${(acceptedMs / 1_000).toFixed(2)} s, published after ${seconds.toFixed(2)} s`);
  console.log(`SubmitCsr      p50 ${accepted.p50} ms, p95 ${accepted.p95} ms, p99 ${accepted.p99} ms`);
  console.log(
    `CPU            ${((user + kernel) / 1_000 / count).toFixed(2)} ms a certificate in this process`,
  );
  console.log(`load afterwards ${load()}`);
  console.log(JSON.stringify({ bench: "issue", per_second: perSecond }));

  async function submitAll(todo: readonly Issuance[]): Promise<number[]> {
    const waiting = [...todo].reverse();
    const tookMs: number[] = [];
    const work = async () => {
      for (let next = waiting.pop(); next && !signal.aborted; next = waiting.pop()) {
        const at = performance.now();
        await issuing.submit(next);
        tookMs.push(performance.now() - at);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, work));
    return tookMs;
  }
});
