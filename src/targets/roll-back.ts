import { X509Certificate } from "node:crypto";
import { command, type FilePlan, servedNow, words } from "./file-plan.ts";
import { fingerprintOf } from "./probe.ts";
import { prove } from "./prove.ts";
import { DeployError, type TargetContext } from "./target.ts";
import { certificateOf, linked, point, remove } from "./versions.ts";

/** Longer than nginx keeps the workers of a reload that a second one overtakes. */
const apartMs = 200;
const shortestDeadlineMs = 5_000;

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
  const reloadWords = isReloaded ? await command(plan, "reload", signal).then(() => null, words) : null;
  if (served === null) return false;
  const restored = good === null ? null : leafOf(await certificateOf(plan.site, good));
  // A server that had not yet taken the restored files serves what it served; one that reloads, serves the files.
  const fingerprints = restored === null ? [served] : [served, restored];
  const expected = { fingerprints, rootPem: null, name: plan.name, isNameVerified: false };
  try {
    const deadlineMs = Math.max(plan.proofDeadlineMs, shortestDeadlineMs);
    const limits = { signal, deadlineMs, apartMs: isReloaded ? apartMs : 0 };
    await prove(plan.endpoint, expected, limits);
  } catch (error) {
    throw new Error([words(error), reloadWords].filter((text) => text !== null).join("; "));
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
