import type { Database } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";
import { advance } from "./advance.ts";
import { lockJob } from "./lease.ts";
import { reclaimExpired, resumePending, resumeSigning } from "./reclaim.ts";

const sweepEveryMs = 5_000;
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
 * lost. At the start it takes up at once whatever an earlier process left.
 */
export async function startSweep(options: {
  db: Database;
  clock: () => Date;
  log: Log;
}): Promise<Disposable> {
  const { db, clock, log } = options;
  let isRunning = false;

  async function sweep(idleMs: number): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    try {
      await reclaimExpired(db, clock());
      await resumeSigning(db, idleMs);
      await resumePending(db, (jobId) => advanceJob(db, jobId, clock()), clock());
    } catch (error) {
      log.warn({ err: error }, "a sweep over the jobs failed; the next one tries again");
    } finally {
      isRunning = false;
    }
  }

  await sweep(0);
  const jitterMs = Math.random() * 1_000;
  const timer = setInterval(() => void sweep(signingIdleMs), sweepEveryMs + jitterMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
