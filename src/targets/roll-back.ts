import { X509Certificate } from "node:crypto";
import { command, type FilePlan, servedNow, words } from "./file-plan.ts";
import { fingerprintOf } from "./probe.ts";
import { type Expected, ProofError, prove } from "./prove.ts";
import { DeployError, type TargetContext } from "./target.ts";
import { certificateOf, linked, point, remove } from "./versions.ts";

/** Longer than nginx keeps the workers of a reload that a second one overtakes. */
const apartMs = 200;
const shortestDeadlineMs = 5_000;
/** A server that is not back by then needs more than a reload. */
const firstLookMs = 2_000;

/** How far a deployment came. */
export interface Progress {
  /** The version to go back to; null when there was none. */
  good: string | null;
  /** The version that was written, if that was done. */
  version: string | null;
  isReloaded: boolean;
  /** The leaf that was served before, by SHA-256. */
  served: string | null;
}

/**
 * Brings back what was there before, proves it, and answers the error to throw. It runs to its end even when the
 * deployment was told to stop; each of its parts has the plan's own deadline.
 */
export async function rollBack(
  plan: FilePlan,
  progress: Progress,
  cause: DeployError,
  ctx: TargetContext,
): Promise<DeployError> {
  const { step, retryable } = cause;
  const { version } = progress;
  const signal = new AbortController().signal;
  const isSwitched = version !== null && (await linked(plan.site, "current").catch(() => null)) === version;
  try {
    const isBack = isSwitched ? await restore(plan, progress, signal) : false;
    if (version !== null) await remove(plan.site, version);
    if (isBack) ctx.step("rolled_back");
    const served = isBack || isSwitched ? await servedNow(plan, signal) : progress.served;
    const ending = isBack ? "; the previous certificate is served again" : "";
    return new DeployError(step, `${cause.message}${ending}`, { retryable, served });
  } catch (error) {
    const message = `${cause.message}; rolling back failed: ${words(error)}`;
    return new DeployError(step, message, { retryable, served: await servedNow(plan, signal) });
  }
}

/** False when nothing was served before, so that there was nothing to bring back on the wire. */
async function restore(plan: FilePlan, progress: Progress, signal: AbortSignal): Promise<boolean> {
  const { good, isReloaded, served } = progress;
  await point(plan.site, "current", good);
  const said: string[] = [];
  const run = async (which: "reload" | "start") => {
    await command(plan, which, signal).catch((error: unknown) => said.push(words(error)));
  };
  if (isReloaded) await run("reload");
  if (served === null) return false;
  const restored = good === null ? null : leafOf(await certificateOf(plan.site, good));
  const expected: Expected = {
    protocol: plan.protocol,
    // A server that had not yet taken the restored files serves what it served; one that reloads, serves the files.
    fingerprints: restored === null ? [served] : [served, restored],
    rootPem: null,
    name: plan.name,
    isNameVerified: false,
  };
  const limits = { signal, apartMs: isReloaded ? apartMs : 0 };
  const look = (deadlineMs: number) => prove(plan.endpoint, expected, { ...limits, deadlineMs });
  const deadlineMs = Math.max(plan.proofDeadlineMs, shortestDeadlineMs);
  try {
    await look(firstLookMs).catch(async (error: unknown) => {
      // The new files killed it, or it took them although nobody had it reload.
      if (plan.start && error instanceof ProofError && error.part === "unreachable") await run("start");
      else if (!isReloaded) await run("reload");
      await look(deadlineMs);
    });
  } catch (error) {
    throw new Error([words(error), ...said].join("; "));
  }
  return true;
}

function leafOf(pem: string | null): string | null {
  try {
    return pem === null ? null : fingerprintOf(new X509Certificate(pem));
  } catch {
    return null;
  }
}
