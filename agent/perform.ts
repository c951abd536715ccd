import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type {
  AgentWorkService,
  DeployCertificate,
  GenerateCsr,
  ObserveTarget,
  WorkItem,
} from "#gen/certctl/v1/agent_work_pb.ts";
import { KeyAlgorithmSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { freeText } from "../src/platform/free-text.ts";
import type { Log } from "../src/platform/log.ts";
import { wordsOf } from "../src/platform/words.ts";
import { DeployError } from "../src/targets/target.ts";
import { type DeployDeps, deploy, observe } from "./deploy.ts";
import type { Outbox } from "./outbox.ts";
import { type ReportedStep, StepLog } from "./step-log.ts";

export type WorkClient = Client<typeof AgentWorkService>;

export interface PerformDeps extends DeployDeps {
  client: () => WorkClient;
  outbox: Outbox;
  log: Log;
}

const keyAlgorithms = wordsOf(KeyAlgorithmSchema);
const callMs = 30_000;
const firstRetryMs = 250;
const mostRetryMs = 10_000;
/** Quick deployments send their steps with the result; slow ones show how they get on. */
const progressEveryMs = 500;

/**
 * Does one job, to its reported end, and never throws. While the control plane cannot be reached the work is kept up: it
 * is the same at every try, and a lease that is lost meanwhile fires the signal. After the length of a lease the attempt
 * counts as failed, because heartbeats that do pass would renew the lease for ever.
 */
export async function perform(deps: PerformDeps, item: WorkItem, signal: AbortSignal): Promise<void> {
  const { log, outbox } = deps;
  const { jobId, leaseId } = item;
  const steps = new StepLog();
  const giveUpAtMs = performance.now() + item.leaseTtlMs;
  for (let waitMs = firstRetryMs; ; waitMs = Math.min(mostRetryMs, 2 * waitMs)) {
    try {
      return await attempt(deps, item, steps, signal);
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (isLeaseLost(error)) return log.info({ jobId }, "the lease on a job was lost; dropped it");
      const isPassing = isUnreachable(error);
      if (!isPassing || performance.now() > giveUpAtMs) {
        log.warn({ jobId, reason }, "a job failed");
        const failed = {
          case: "failed",
          value: { ...failureOf(error), ...(isPassing && { retryable: true }) },
        } as const;
        return outbox.post({ jobId, leaseId, steps: steps.take(), result: failed });
      }
      log.warn({ jobId, reason, waitMs }, "the control plane cannot be reached; trying again");
      await delay(waitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }
}

async function attempt(
  deps: PerformDeps,
  item: WorkItem,
  steps: StepLog,
  signal: AbortSignal,
): Promise<void> {
  const { spec } = item;
  if (spec.case === "generateCsr") await makeCsr(deps, item, spec.value, signal);
  else if (spec.case === "deploy") await putInPlace(deps, { item, order: spec.value, steps, signal });
  else if (spec.case === "observe") await look(deps, item, spec.value, signal);
  else throw new DeployError("config", "this agent does not know this kind of work; update it");
}

async function makeCsr(
  deps: PerformDeps,
  item: WorkItem,
  wanted: GenerateCsr,
  signal: AbortSignal,
): Promise<void> {
  const { client, keys } = deps;
  const { jobId, leaseId } = item;
  const keyAlgorithm = keyAlgorithms.text(wanted.keyAlgorithm);
  const { csrPem, isNew } = await keys.csrFor(wanted.keyId, { ...wanted, keyAlgorithm });
  const message = isNew
    ? `${keyAlgorithm}, kept on this agent`
    : `${keyAlgorithm}, made at an earlier attempt`;
  // The lease's own id names this report, so that a repeat under it adds no second line.
  await report(
    client(),
    item,
    { steps: [{ step: "key_generated", message, agoMs: 0 }], requestId: leaseId },
    signal,
  );
  await client().submitCsr({ jobId, leaseId, csrPem }, { signal, timeoutMs: callMs });
}

async function putInPlace(
  deps: PerformDeps,
  work: { item: WorkItem; order: DeployCertificate; steps: StepLog; signal: AbortSignal },
): Promise<void> {
  const { client, outbox, log } = deps;
  const { item, order, steps, signal } = work;
  const { jobId, leaseId } = item;
  await report(client(), item, { steps: [], requestId: leaseId }, signal);
  let reporting = Promise.resolve();
  const timer = setInterval(() => {
    reporting = reporting
      .then(() => report(client(), item, { steps: steps.take(), requestId: randomUUID() }, signal))
      .catch((error: Error) => log.warn({ jobId, reason: error.message }, "progress could not be reported"));
  }, progressEveryMs);
  try {
    const proof = await deploy(
      deps,
      { order, lease: item },
      { signal, step: (name, message) => steps.add(name, message) },
    );
    clearInterval(timer);
    await reporting;
    const served = { servedFingerprintSha256: proof.fingerprintSha256 };
    await outbox.post({ jobId, leaseId, steps: steps.take(), result: { case: "succeeded", value: served } });
  } finally {
    clearInterval(timer);
  }
}

/** Looks at what a target serves, and says so, whatever it is. */
async function look(
  deps: PerformDeps,
  item: WorkItem,
  wanted: ObserveTarget,
  signal: AbortSignal,
): Promise<void> {
  const { client, outbox } = deps;
  const { jobId, leaseId } = item;
  await report(client(), item, { steps: [], requestId: leaseId }, signal);
  const served = await observe(deps, wanted, signal);
  const step = { step: "observed", message: served ? `SHA-256 ${served}` : "nothing is served", agoMs: 0 };
  await outbox.post({
    jobId,
    leaseId,
    steps: [step],
    result: { case: "observed", value: { servedFingerprintSha256: served ?? "" } },
  });
}

async function report(
  client: WorkClient,
  { jobId, leaseId }: WorkItem,
  progress: { steps: ReportedStep[]; requestId: string },
  signal: AbortSignal,
): Promise<void> {
  await client.reportProgress({ jobId, leaseId, ...progress }, { signal, timeoutMs: callMs });
}

function failureOf(error: unknown) {
  if (error instanceof DeployError) {
    const { step, message, retryable, served } = error;
    return { step, message, retryable, servedFingerprintSha256: served ?? "" };
  }
  if (error instanceof ConnectError)
    return { step: "submit", message: freeText(error.rawMessage), retryable: false };
  return {
    step: "agent",
    message: freeText(error instanceof Error ? error.message : String(error)),
    retryable: true,
  };
}

function isLeaseLost(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Aborted;
}

function isUnreachable(error: unknown): boolean {
  const codes: readonly Code[] = [
    Code.Unavailable,
    Code.Canceled,
    Code.DeadlineExceeded,
    Code.Internal,
    Code.Unknown,
  ];
  return error instanceof ConnectError && codes.includes(error.code);
}
