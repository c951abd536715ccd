import { randomUUID } from "node:crypto";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type {
  AgentWorkService,
  DeployCertificate,
  GenerateCsr,
  WorkItem,
} from "#gen/certctl/v1/agent_work_pb.ts";
import { KeyAlgorithmSchema } from "#gen/certctl/v1/certificates_pb.ts";
import type { Log } from "../src/platform/log.ts";
import { wordsOf } from "../src/platform/words.ts";
import { freeText } from "../src/targets/free-text.ts";
import { DeployError } from "../src/targets/target.ts";
import { type DeployDeps, deploy } from "./deploy.ts";
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
/** Quick deployments send their steps with the result; slow ones show how they get on. */
const progressEveryMs = 500;

/** Does one job, to its reported end. Never throws: what cannot be reported is left to the lease's end. */
export async function perform(deps: PerformDeps, item: WorkItem, signal: AbortSignal): Promise<void> {
  const { log, outbox } = deps;
  const { spec, jobId, leaseId } = item;
  const steps = new StepLog();
  try {
    if (spec.case === "generateCsr") await makeCsr(deps, item, spec.value, signal);
    else if (spec.case === "deploy") await putInPlace(deps, { item, order: spec.value, steps, signal });
    else throw new DeployError("config", "this agent does not know this kind of work; update it");
  } catch (error) {
    if (signal.aborted) return;
    if (isLeaseLost(error)) return log.info({ jobId }, "the lease on a job was lost; dropped it");
    log.warn({ jobId, reason: error instanceof Error ? error.message : String(error) }, "a job failed");
    if (isUnreachable(error)) return;
    await outbox.post({
      jobId,
      leaseId,
      steps: steps.take(),
      result: { case: "failed", value: failureOf(error) },
    });
  }
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
  await report(client(), item, [{ step: "key_generated", message, agoMs: 0 }], signal);
  await client().submitCsr({ jobId, leaseId, csrPem }, { signal, timeoutMs: callMs });
}

async function putInPlace(
  deps: PerformDeps,
  work: { item: WorkItem; order: DeployCertificate; steps: StepLog; signal: AbortSignal },
): Promise<void> {
  const { client, outbox, log } = deps;
  const { item, order, steps, signal } = work;
  const { jobId, leaseId } = item;
  await report(client(), item, [], signal);
  let reporting = Promise.resolve();
  const timer = setInterval(() => {
    reporting = reporting
      .then(() => report(client(), item, steps.take(), signal))
      .catch((error: Error) => log.warn({ jobId, reason: error.message }, "progress could not be reported"));
  }, progressEveryMs);
  try {
    const proof = await deploy(deps, order, { signal, step: (name, message) => steps.add(name, message) });
    clearInterval(timer);
    await reporting;
    const served = { servedFingerprintSha256: proof.fingerprintSha256 };
    await outbox.post({ jobId, leaseId, steps: steps.take(), result: { case: "succeeded", value: served } });
  } finally {
    clearInterval(timer);
  }
}

async function report(
  client: WorkClient,
  item: WorkItem,
  steps: ReportedStep[],
  signal: AbortSignal,
): Promise<void> {
  const { jobId, leaseId } = item;
  await client.reportProgress(
    { jobId, leaseId, requestId: randomUUID(), steps },
    { signal, timeoutMs: callMs },
  );
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

/** The job is given out again once the control plane is back: the lease runs out, or the agent no longer names it. */
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
