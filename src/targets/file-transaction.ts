import { command, type FilePlan, failure, servedNow, words } from "./file-plan.ts";
import { matchPair, type Pair } from "./pair.ts";
import { type Expected, ProofError, prove } from "./prove.ts";
import { rollBack } from "./roll-back.ts";
import type { Bundle, FailedStep, Proof, TargetContext } from "./target.ts";
import { holds, lastGood, linked, point, settle, writeVersion } from "./versions.ts";

const proofOfStandingMs = 2_000;

/**
 * Puts a bundle's files in place, makes the server take them and proves it; after any failure the old ones are served
 * again. A kill between any two steps leaves `current` and `previous` whole, and the same call again ends right.
 */
export async function deployFiles(plan: FilePlan, bundle: Bundle, ctx: TargetContext): Promise<Proof> {
  const { site } = plan;
  const { signal } = ctx;
  const pair = matchPair(bundle, plan.name, new Date());
  ctx.step("matched");
  const expected: Expected = {
    protocol: plan.protocol,
    fingerprints: [bundle.fingerprintSha256],
    rootPem: bundle.rootPem,
    name: plan.name,
    isNameVerified: true,
  };
  const served = await servedNow(plan, signal);
  let step: FailedStep = "host_file";
  let good: string | null = null;
  let version: string | null = null;
  let isReloaded = false;
  try {
    good = await lastGood(site);
    if (served === bundle.fingerprintSha256) {
      const standing = await proveStanding(plan, pair, expected, ctx);
      if (standing) return standing;
    }
    signal.throwIfAborted();
    step = "write";
    version = await writeVersion(site, bundle, pair);
    ctx.step("written");
    signal.throwIfAborted();
    step = "switch";
    await point(site, "previous", good);
    await point(site, "current", version);
    ctx.step("switched");
    step = "config_test";
    const tested = await command(plan, "test", signal);
    if (tested !== null) ctx.step("config_tested", tested);
    step = "reload";
    isReloaded = true;
    const reloaded = await command(plan, "reload", signal);
    if (reloaded !== null) ctx.step("reloaded", reloaded);
    step = "proof";
    const proof = await prove(plan.endpoint, expected, { signal, deadlineMs: plan.proofDeadlineMs });
    ctx.step("proven", await tidy(plan, version));
    return proof;
  } catch (error) {
    const cause = failure(step, error, signal);
    throw await rollBack(plan, { good, version, isReloaded, served }, cause, ctx);
  }
}

/** The proof that nothing is to be done, or null: these very files are installed, and their certificate is served. */
async function proveStanding(
  plan: FilePlan,
  pair: Pair,
  expected: Expected,
  ctx: TargetContext,
): Promise<Proof | null> {
  const current = await linked(plan.site, "current");
  if (current === null || !(await holds(plan.site, current, pair))) return null;
  const limits = { signal: ctx.signal, deadlineMs: Math.min(proofOfStandingMs, plan.proofDeadlineMs) };
  const proof = await prove(plan.endpoint, expected, limits).catch((error: unknown) => {
    // The leaf is right and the rest is not: perhaps the server has not read all of the files yet.
    if (error instanceof ProofError) return null;
    throw error;
  });
  if (proof) ctx.step("skipped", await tidy(plan, current));
  return proof;
}

/** The certificate is served already: what is left over is told and taken up by the next deployment. */
async function tidy(plan: FilePlan, current: string): Promise<string | undefined> {
  return settle(plan.site, current).then(
    () => undefined,
    (error: unknown) => `old versions are left over: ${words(error)}`,
  );
}
