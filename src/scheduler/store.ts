import type { Database } from "../platform/database.ts";

/** How long a run may take; after that another replica may start the task again. */
export const leaseMs = 600_000;

/** Makes the rows of new tasks, and lets one whose interval became shorter run within it. */
export async function registerTasks(
  db: Database,
  tasks: readonly { name: string; everyMs: number }[],
  now: Date,
): Promise<void> {
  for (const { name, everyMs } of tasks) {
    const latest = new Date(now.getTime() + everyMs);
    await db.$executeRaw`
      INSERT INTO scheduled_tasks (name, next_run_at) VALUES (${name}, ${now})
      ON CONFLICT (name) DO UPDATE SET next_run_at = least(scheduled_tasks.next_run_at, ${latest})`;
  }
}

/** Takes a due task for this replica, unless another one has it. Business time says what is due. */
export async function claimTask(db: Database, name: string, replicaId: string, now: Date): Promise<boolean> {
  const count = await db.$executeRaw`
    UPDATE scheduled_tasks SET replica_id = ${replicaId}, last_started_at = ${now},
      lease_expires_at = now() + ${leaseMs} * interval '1 millisecond'
    WHERE name = ${name} AND next_run_at <= ${now} AND (lease_expires_at IS NULL OR lease_expires_at <= now())`;
  return count === 1;
}

/** Ends a run that this replica still holds. */
export async function finishTask(
  db: Database,
  run: {
    name: string;
    replicaId: string;
    nextRunAt: Date;
    durationMs: number;
    result: string;
    error: string;
  },
): Promise<void> {
  const failures = run.error === "" ? 0 : 1;
  await db.$executeRaw`
    UPDATE scheduled_tasks SET lease_expires_at = NULL, last_duration_ms = ${run.durationMs},
      last_result = ${run.result}, last_error = ${run.error}, runs = runs + 1, failures = failures + ${failures},
      next_run_at = CASE WHEN next_run_at > last_started_at THEN next_run_at ELSE ${run.nextRunAt} END
    WHERE name = ${run.name} AND replica_id = ${run.replicaId} AND lease_expires_at IS NOT NULL`;
}

/** When the next of these tasks is due, or null. */
export async function nextDue(db: Database, names: readonly string[]): Promise<Date | null> {
  const [row] = await db.$queryRaw<[{ at: Date | null }]>`
    SELECT min(next_run_at) AS at FROM scheduled_tasks WHERE name = ANY(${[...names]}::text[])
      AND (lease_expires_at IS NULL OR lease_expires_at <= now())`;
  return row.at;
}
