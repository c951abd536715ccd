import type { Prisma } from "#gen/prisma/client.ts";
import { notify } from "../platform/bus.ts";
import type { Transaction } from "../platform/database.ts";
import { outdated } from "../platform/errors.ts";
import { type JobStatus, transitions } from "./state.ts";

/** What a transition needs to know of a job. */
export interface JobRef {
  id: string;
  status: string;
  parentJobId: string | null;
  attempts: number;
}

/**
 * Moves a job, if it still is in the state that the caller saw: a transition that lost the race throws JOB_CHANGED and
 * overwrites nothing.
 */
export async function transition(
  tx: Transaction,
  job: JobRef,
  to: JobStatus,
  set: Prisma.JobUncheckedUpdateManyInput = {},
): Promise<void> {
  const from = job.status as JobStatus;
  if (!transitions[from].includes(to)) throw new Error(`job ${job.id}: ${from} to ${to} is no transition`);
  const { count } = await tx.job.updateMany({
    where: { id: job.id, status: from },
    data: { ...set, status: to },
  });
  if (count === 0) throw outdated("JOB_CHANGED", `job ${job.id} is no longer ${from}`);
  // A key that the control plane made for it has no certificate; another try makes another key.
  if (to === "Failed" || to === "Cancelled") await tx.serverKey.deleteMany({ where: { jobId: job.id } });
  await notifyChange(tx, job);
}

/** Adds a step to a job's timeline. */
export async function addEvent(tx: Transaction, job: JobRef, step: string, message = ""): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO job_events (job_id, at, step, message, attempt)
    VALUES (${job.id}, clock_timestamp(), ${step}, ${message}, ${job.attempts})`;
}

/** Wakes whoever watches the job, or the renewal that it belongs to. */
export async function notifyChange(tx: Transaction, job: JobRef): Promise<void> {
  await notify(tx, "job", job.id);
  if (job.parentJobId) await notify(tx, "job", job.parentJobId);
}
