import { type Actor, recordAudit } from "../audit/record.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Transaction } from "../platform/database.ts";
import type { FailureClass } from "../platform/failure.ts";
import { enqueue } from "./queue.ts";
import { isIssuance } from "./state.ts";
import { addEvent, type JobRef, transition } from "./transition.ts";

/** How many minutes a job waits after its nth failed attempt; null: somebody has to act first. */
const backoffMinutes: Record<FailureClass, readonly number[] | null> = {
  Network: [1, 5, 15, 60, 360],
  Target: [1, 5, 15, 60, 360],
  Internal: [1, 5, 15, 60, 360],
  // A CA's verdict changes when somebody mends DNS or an account, rarely within minutes, and asking costs quota.
  Refused: [60, 360, 1_440],
  RateLimited: [60, 180, 360, 720],
  Configuration: null,
};
/** No CA makes a job wait longer than this. */
const mostRetryAfterMs = 86_400_000;

/** Up to this share of the wait is taken off at random, so that jobs which failed together do not come back together. */
const jitter = 0.2;

export interface AttemptFailure {
  step: string;
  message: string;
  failureClass: FailureClass;
  /** How long the other side asks to wait. */
  retryAfterMs?: number | null;
}

/** A job as failing it needs it. */
export interface FailingJob extends JobRef {
  type: string;
  certificateId: string;
  maxAttempts: number;
  targetId: string | null;
}

/** How long to wait after a failed attempt; null: no further one is made. */
export function backoffMs(failure: AttemptFailure, attempts: number, random: number): number | null {
  const schedule = backoffMinutes[failure.failureClass];
  if (schedule === null) return null;
  const minutes = schedule[Math.min(Math.max(attempts, 1), schedule.length) - 1] ?? 360;
  const ownMs = Math.round(minutes * 60_000 * (1 - jitter * random));
  return Math.max(ownMs, Math.min(failure.retryAfterMs ?? 0, mostRetryAfterMs));
}

/**
 * Ends an attempt of an open job: another one follows after a while, unless the failure is final or no attempts are
 * left. Returns the job's new status.
 */
export async function failAttempt(
  tx: Transaction,
  actor: Actor,
  job: FailingJob,
  failure: AttemptFailure,
  now: Date,
): Promise<"Pending" | "Failed"> {
  const { step, message, failureClass } = failure;
  const error = { errorStep: step, errorMessage: message, failureClass, leaseExpiresAt: null };
  const waitMs = job.attempts >= job.maxAttempts ? null : backoffMs(failure, job.attempts, Math.random());
  await recordAudit(tx, actor, {
    action: "attempt_failed",
    resourceType: "job",
    resourceId: job.id,
    details: {
      certificate_id: job.certificateId,
      step,
      message,
      failure_class: failureClass,
      attempt: job.attempts,
      is_last: waitMs === null,
    },
  });
  await addEvent(tx, job, "failed", `${step}: ${message}`);
  if (waitMs === null) {
    await transition(tx, job, "Failed", { ...error, completedAt: now });
    if (isIssuance(job.type)) await recordFailure(tx, job.certificateId, failure);
    await raiseFailure(tx, job, failure, now);
    return "Failed";
  }
  const runAfter = new Date(now.getTime() + waitMs);
  await transition(tx, job, "Pending", { ...error, runAfter });
  await addEvent(tx, job, "retry_planned", `next attempt at ${runAfter.toISOString()}`);
  await enqueue(tx, "advance", job.id, runAfter);
  return "Pending";
}

async function raiseFailure(
  tx: Transaction,
  { id: jobId, type, certificateId, targetId }: FailingJob,
  { step, message }: AttemptFailure,
  now: Date,
): Promise<void> {
  const error = `${step}: ${message}`;
  if (isIssuance(type)) await raiseEvent(tx, { type: "RenewalFailed", certificateId, jobId, error }, now);
  else if (type === "Revocation")
    await raiseEvent(tx, { type: "RevocationFailed", certificateId, jobId, error }, now);
  else if (type === "Deployment" && targetId)
    await raiseEvent(tx, { type: "DeploymentFailed", certificateId, jobId, targetId, error }, now);
}

async function recordFailure(
  tx: Transaction,
  certificateId: string,
  { step, message }: AttemptFailure,
): Promise<void> {
  await tx.managedCertificate.update({
    where: { id: certificateId },
    data: { lastError: `${step}: ${message}` },
  });
}
