import type { Transaction } from "../platform/database.ts";

/** A step of a job's timeline, of many that are written at once. */
export interface Step {
  jobId: string;
  step: string;
  message: string;
  attempt: number;
}

/** Adds steps to the timelines of many jobs, in this order. */
export async function addSteps(tx: Transaction, steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO job_events (job_id, at, step, message, attempt)
    SELECT job_id, clock_timestamp(), step, message, attempt
    FROM json_to_recordset(${JSON.stringify(
      steps.map(({ jobId, ...step }, place) => ({ job_id: jobId, place, ...step })),
    )}::json) AS said (job_id text, place int, step text, message text, attempt int)
    ORDER BY place`;
}

/** Wakes whoever watches one of the jobs. */
export async function notifyJobs(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify('certctl_job', id) FROM unnest(${[...ids]}::text[]) AS id`;
}
