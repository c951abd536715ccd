import type { Database } from "../platform/database.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import { advance } from "./advance.ts";
import { lockJob } from "./lease.ts";
import { reclaimExpired, resumePending, resumeSigning, wakeForDue } from "./reclaim.ts";

const signingIdleMs = 30_000;

/** Sets a due pending job going, unless another replica did. */
export async function advanceJob(db: Database, jobId: string, now: Date): Promise<void> {
  await db.$transaction(async (tx) => {
    const row = await tx.job.findUnique({ where: { id: jobId }, select: { agentId: true } });
    if (!row) return;
    await lockJob(tx, jobId, row.agentId);
    const job = await tx.job.findUniqueOrThrow({ where: { id: jobId } });
    if (job.status === "Pending" && job.runAfter <= now) await advance(tx, job);
  });
}

/**
 * The safety net under the job flow: leases that ran out, signings whose server died, planned attempts whose task was
 * lost. `signingIdleMs` is how long a signing must have been silent to count as lost.
 */
export async function sweepJobs(db: Database, now: Date, signingIdleMs: number): Promise<string> {
  const reclaimed = await reclaimExpired(db, now);
  const resumed = await resumeSigning(db, signingIdleMs, now);
  const started = await resumePending(db, (jobId) => advanceJob(db, jobId, now), now);
  const woken = await wakeForDue(db, now);
  return `${reclaimed} leases taken back, ${resumed} signings resumed, ${started} planned attempts started, ${woken} agents woken`;
}

/** The sweep as the scheduler runs it. */
export function sweepTask(db: Database, everyMs: number): ScheduledTask {
  return {
    name: "jobs",
    title: "Picks up jobs that were lost on the way",
    everyMs,
    run: (now) => sweepJobs(db, now, signingIdleMs),
  };
}
