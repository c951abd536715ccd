import { type Actor, recordAudit } from "../audit/record.ts";
import type { Transaction } from "../platform/database.ts";
import { enqueue } from "./queue.ts";
import { addEvent, type JobRef, transition } from "./transition.ts";

/** How long a job waits after its nth failed attempt. */
const backoffMinutes = [1, 5, 15, 60, 360] as const;

/** Up to this share of the wait is taken off at random, so that jobs which failed together do not come back together. */
const jitter = 0.2;

export interface AttemptFailure {
  step: string;
  message: string;
  /** False: no further attempt can succeed. */
  retryable: boolean;
}

/** A job as failing it needs it. */
export interface FailingJob extends JobRef {
  type: string;
  certificateId: string;
  maxAttempts: number;
}

export function backoffMs(attempts: number, random: number): number {
  const minutes = backoffMinutes[Math.min(Math.max(attempts, 1), backoffMinutes.length) - 1] ?? 360;
  return Math.round(minutes * 60_000 * (1 - jitter * random));
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
  const error = { errorStep: failure.step, errorMessage: failure.message, leaseExpiresAt: null };
  const isLast = !failure.retryable || job.attempts >= job.maxAttempts;
  const { step, message } = failure;
  await recordAudit(tx, actor, {
    action: "attempt_failed",
    resourceType: "job",
    resourceId: job.id,
    details: { certificate_id: job.certificateId, step, message, attempt: job.attempts, is_last: isLast },
  });
  await addEvent(tx, job, "failed", `${step}: ${message}`);
  if (isLast) {
    await transition(tx, job, "Failed", { ...error, completedAt: now });
    if (job.type !== "Deployment") await recordFailure(tx, job.certificateId, failure);
    return "Failed";
  }
  const runAfter = new Date(now.getTime() + backoffMs(job.attempts, Math.random()));
  await transition(tx, job, "Pending", { ...error, runAfter });
  await addEvent(tx, job, "retry_planned", `next attempt at ${runAfter.toISOString()}`);
  await enqueue(tx, "advance", job.id, runAfter);
  return "Pending";
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
