import type {
  ProgressStep,
  ReportProgressRequest,
  ReportResultRequest,
} from "#gen/certctl/v1/agent_work_pb.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { conflict } from "../platform/errors.ts";
import type { FailureClass } from "../platform/failure.ts";
import { type LeasedJob, leaseLost, lockJob, offerRoom, requireLease, takeUp } from "./lease.ts";
import { failAttempt } from "./retry.ts";
import { storeServed } from "./served.ts";
import { isIssuance, isOpen } from "./state.ts";
import { notifyChange, transition } from "./transition.ts";

/** Adds an agent's steps to the timeline and renews its lease; the first call takes the job up. */
export async function reportProgress(
  db: Database,
  agentId: string,
  request: ReportProgressRequest,
): Promise<LeasedJob> {
  return db.$transaction(async (tx) => {
    const job = await lockJob(tx, request.jobId, agentId);
    requireLease(job, request.leaseId);
    const taken = await takeUp(tx, job);
    const isRepeated = request.requestId !== "" && (await wasReported(tx, job.id, request.requestId));
    if (!isRepeated && request.steps.length > 0) {
      await addSteps(tx, taken, request.steps, request.requestId || null);
      await notifyChange(tx, taken);
    }
    return taken;
  });
}

/**
 * Ends an attempt with its result. The same result again answers what was stored. A deployment's proof may come after
 * its lease ran out, as long as no newer attempt was given out: what it says about the target is true all the same.
 */
export async function reportResult(
  db: Database,
  actor: Actor,
  request: ReportResultRequest,
  now: Date,
): Promise<LeasedJob> {
  return db.$transaction(async (tx) => {
    const locked = await lockJob(tx, request.jobId, actor.id);
    if (request.leaseId !== "" && locked.resultLeaseId === request.leaseId) return locked;
    const isLateProof =
      request.result.case === "succeeded" &&
      locked.type === "Deployment" &&
      locked.leaseId === request.leaseId;
    if (!isLateProof) requireLease(locked, request.leaseId);
    if (!isOpen(locked.status)) throw leaseLost(locked.id);
    const taken = await takeUp(tx, locked);
    const job = await underWay(tx, taken);
    await tx.job.update({ where: { id: job.id }, data: { resultLeaseId: job.leaseId } });
    await addSteps(tx, job, request.steps, null);
    const status = await store(tx, actor, job, request, now);
    await offerRoom(tx, job.agentId);
    return { ...job, status };
  });
}

/** A deployment whose lease ran out waits for its next attempt; the proof that arrived is that attempt. */
async function underWay(tx: Transaction, job: LeasedJob): Promise<LeasedJob> {
  if (job.type !== "Deployment" || job.status !== "Pending") return job;
  await transition(tx, job, "Running");
  return { ...job, status: "Running" };
}

async function store(
  tx: Transaction,
  actor: Actor,
  job: LeasedJob,
  { result }: ReportResultRequest,
  now: Date,
): Promise<string> {
  if (result.case === "failed") {
    const { step, message, retryable, servedFingerprintSha256: served } = result.value;
    if (served !== "") await storeServed(tx, job, served, now);
    const failureClass = retryable ? classOf(step) : "Configuration";
    return failAttempt(tx, actor, job, { step, message, failureClass }, now);
  }
  if (result.case === undefined) throw conflict("NO_RESULT", "the result says neither succeeded nor failed");
  if (isIssuance(job.type))
    throw conflict("CSR_EXPECTED", "an issuance succeeds with its CSR, not with a result");
  if (result.case === "observed") {
    if (job.type !== "Validation")
      throw conflict("PROOF_EXPECTED", "a deployment succeeds with its proof, not with an observation");
    return storeObservation(tx, job, result.value.servedFingerprintSha256, now);
  }
  if (job.type !== "Deployment")
    throw conflict("OBSERVATION_EXPECTED", "a validation succeeds with what it observed");
  const served = result.value.servedFingerprintSha256;
  const version = await tx.certificateVersion.findUniqueOrThrow({ where: { id: job.versionId ?? "" } });
  if (version.fingerprintSha256 !== served) {
    throw conflict("NOT_PROVEN", `the target serves ${served}, the version is ${version.fingerprintSha256}`);
  }
  await storeServed(tx, job, served, now, { versionId: job.versionId, provenAt: now });
  await complete(tx, job, served, now);
  // The agent has the key now, and what it has is what stays.
  await tx.serverKey.deleteMany({ where: { id: version.keyId } });
  await audit(tx, actor, job, "deployment_proven", { version_id: job.versionId, fingerprint_sha256: served });
  const { id: jobId, certificateId, targetId } = job;
  if (targetId) await raiseEvent(tx, { type: "DeploymentProven", certificateId, jobId, targetId }, now);
  return "Completed";
}

/** Keeps what a validation saw. That it is not what was deployed is a finding, not a failure of the job. */
async function storeObservation(tx: Transaction, job: LeasedJob, served: string, now: Date): Promise<string> {
  await storeServed(tx, job, served || null, now);
  await complete(tx, job, served || null, now);
  return "Completed";
}

async function complete(tx: Transaction, job: LeasedJob, served: string | null, now: Date): Promise<void> {
  await transition(tx, job, "Completed", {
    completedAt: now,
    leaseExpiresAt: null,
    servedFingerprint: served,
    errorStep: "",
    errorMessage: "",
    failureClass: "",
  });
}

/** What kind of failure an agent's is: it either did not get through, or the target's server did not take it. */
function classOf(step: string): FailureClass {
  return step === "submit" || step === "agent" ? "Network" : "Target";
}

async function wasReported(tx: Transaction, jobId: string, requestId: string): Promise<boolean> {
  return (await tx.jobEvent.findFirst({ where: { jobId, requestId } })) !== null;
}

async function addSteps(
  tx: Transaction,
  job: LeasedJob,
  steps: readonly ProgressStep[],
  requestId: string | null,
): Promise<void> {
  if (steps.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO job_events (job_id, at, step, message, attempt, request_id)
    SELECT ${job.id}, clock_timestamp() - ago_ms * interval '1 millisecond', step, message, ${job.attempts}, ${requestId}
    FROM unnest(${steps.map(({ step }) => step)}::text[], ${steps.map(({ message }) => message)}::text[],
      ${steps.map(({ agoMs }) => agoMs)}::bigint[]) WITH ORDINALITY AS reported(step, message, ago_ms, place)
    ORDER BY place`;
}

async function audit(
  tx: Transaction,
  actor: Actor,
  job: LeasedJob,
  action: string,
  details: Record<string, string | null>,
): Promise<void> {
  await recordAudit(tx, actor, {
    action,
    resourceType: "job",
    resourceId: job.id,
    details: { target_id: job.targetId, ...details },
  });
}
