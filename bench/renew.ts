import { parseArgs } from "node:util";
import { runUntilStopped } from "../src/platform/process.ts";
import { StartupError } from "../src/platform/startup-error.ts";
import { openApi } from "../src/sample/api.ts";
import { stageSystem } from "../test/stage-system.ts";
import { conditions, load } from "./conditions.ts";
import { mean, percentiles } from "./percentiles.ts";
import { type Renewal, renewOnce } from "./renewal.ts";

const warmUps = 3;
const renewWithinMs = 30_000;

/**
 * Renews one certificate again and again: a server process with its embedded PostgreSQL, an agent process and an nginx
 * of their own. npm run bench:renew -- --count 50
 */
await runUntilStopped(async (signal) => {
  const count = countOf(process.argv.slice(2));
  await using staged = await stageSystem({ isEmbedded: true });
  const { system, nginx, certificateId, serverName } = staged;
  const api = await openApi(system.url, system.dataDir);
  for (const line of await conditions(system.dataDir)) console.log(line);
  console.log(`count     ${count} renewals, one after the other, after ${warmUps} to warm up\n`);

  const renewals: Renewal[] = [];
  const subject = { api, certificateId, site: { endpoint: nginx.endpoint, serverName } };
  for (let index = 0; index < warmUps + count; index += 1) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(renewWithinMs)]);
    const renewal = await renewOnce(subject, limit);
    if (index >= warmUps) renewals.push(renewal);
  }

  const served = percentiles(renewals.map(({ servedMs }) => servedMs));
  const proven = percentiles(renewals.map(({ provenMs }) => provenMs));
  printSteps(renewals);
  console.log(`request to new certificate served  ${words(served)}`);
  console.log(`request to job proven              ${words(proven)}`);
  console.log(`load afterwards                    ${load()}`);
  const { p50, p95, p99 } = served;
  console.log(JSON.stringify({ bench: "renew", p50_ms: p50, p95_ms: p95, p99_ms: p99 }));
});

function countOf(args: string[]): number {
  const { values } = parseArgs({
    args,
    options: { count: { type: "string", default: "50" } },
    strict: false,
  });
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1)
    throw new StartupError("usage: npm run bench:renew -- --count 50");
  return count;
}

function printSteps(renewals: readonly Renewal[]): void {
  const totalMs = mean(renewals.map(({ provenMs }) => provenMs));
  const names = [...new Set(renewals.flatMap(({ steps }) => steps.map(({ name }) => name)))];
  console.log(`${"step".padEnd(26)} ${"p50 ms".padStart(8)} ${"p95 ms".padStart(8)} ${"share".padStart(7)}`);
  for (const name of names) {
    const taken = renewals.map(({ steps }) => steps.find((step) => step.name === name)?.ms ?? 0);
    const { p50, p95 } = percentiles(taken);
    const share = `${((100 * mean(taken)) / totalMs).toFixed(1)} %`;
    console.log(
      `${name.padEnd(26)} ${p50.toFixed(1).padStart(8)} ${p95.toFixed(1).padStart(8)} ${share.padStart(7)}`,
    );
  }
  console.log("");
}

function words({ p50, p95, p99 }: { p50: number; p95: number; p99: number }): string {
  return `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`;
}
