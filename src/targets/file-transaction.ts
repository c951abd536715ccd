import { X509Certificate } from "node:crypto";
import { type Argv, run } from "./command.ts";
import { matchPair, type Pair } from "./pair.ts";
import { fingerprintOf, probe } from "./probe.ts";
import { ProofError, prove, serverNameFor } from "./prove.ts";
import { type Bundle, DeployError, type FailedStep, type Proof, type TargetContext } from "./target.ts";
import * as versions from "./versions.ts";

/** Where files go and how the server takes them, all of it written by the host's owner. */
export interface FilePlan {
  site: versions.Site;
  test: Argv | undefined;
  reload: Argv | undefined;
  endpoint: string;
  proofDeadlineMs: number;
  commandTimeoutMs: number;
  /** The name under which the certificate is proven. */
  name: string | null;
}

const glanceMs = 5_000;
/** What cannot get better by itself is not worth another attempt. */
const hopeless: readonly FailedStep[] = ["match", "host_file", "config"];

/** Puts a bundle's files in place, makes the server take them and proves it. On any failure the old ones are served. */
export async function deployFiles(plan: FilePlan, bundle: Bundle, ctx: TargetContext): Promise<Proof> {
  const pair = matchPair(bundle, new Date());
  ctx.step("matched");
  const { current, good, served } = await lookAround(plan, ctx.signal);
  const expected = {
    fingerprints: [bundle.fingerprintSha256],
    rootPem: bundle.rootPem,
    name: plan.name,
    isNameVerified: true,
  };
  const limits = { signal: ctx.signal, deadlineMs: plan.proofDeadlineMs };

  if (served === bundle.fingerprintSha256 && current && (await versions.holds(plan.site, current, pair))) {
    const proof = await prove(plan.endpoint, expected, limits).catch((error: unknown) => {
      throw failure("proof", error, served);
    });
    await settle(plan, current, ctx, "skipped");
    return proof;
  }

  const undo: Undo = { written: null, isSwitched: false, isReloaded: false, good, served };
  let step: FailedStep = "write";
  try {
    ctx.signal.throwIfAborted();
    const version = await writeVersion(plan, bundle, pair, undo);
    ctx.step("written", version);
    step = "switch";
    ctx.signal.throwIfAborted();
    await versions.point(plan.site, "previous", good);
    undo.isSwitched = true;
    await versions.point(plan.site, "current", version);
    ctx.step("switched");
    step = "config_test";
    if (plan.test) ctx.step("config_tested", await command(plan, plan.test, ctx.signal));
    step = "reload";
    undo.isReloaded = true;
    if (plan.reload) ctx.step("reloaded", await command(plan, plan.reload, ctx.signal));
    step = "proof";
    const proof = await prove(plan.endpoint, expected, limits);
    await settle(plan, version, ctx, "proven");
    return proof;
  } catch (error) {
    throw await rollBack(plan, undo, failure(step, error, null), ctx);
  }
}

/** What is served under the plan's name now, or null. */
export async function servedNow(plan: FilePlan, signal: AbortSignal): Promise<string | null> {
  const seen = await probe(plan.endpoint, {
    serverName: serverNameFor(plan.name),
    rootPem: null,
    signal: AbortSignal.any([signal, AbortSignal.timeout(glanceMs)]),
  }).catch(() => null);
  return seen?.fingerprintSha256 ?? null;
}
