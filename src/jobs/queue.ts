import { Logger, makeWorkerUtils, run } from "graphile-worker";
import type pg from "pg";
import type { Transaction } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";

/** Work that a server does in the background. A task carries the id of its job; the jobs table owns all retries. */
export type TaskName = "issue" | "advance";

/** Does one task of a job. Repeating a task that was done changes nothing. */
export type Tasks = Record<TaskName, (jobId: string, signal: AbortSignal) => Promise<void>>;

/** Enqueues a task with the transaction's other changes: it exists iff they do. A second one of the same job replaces it. */
export async function enqueue(tx: Transaction, task: TaskName, jobId: string, runAt?: Date): Promise<void> {
  await tx.$executeRaw`
    SELECT graphile_worker.add_job(${task}, json_build_object('jobId', ${jobId}::text),
      run_at => ${runAt ?? null}::timestamptz, job_key => ${`${task}:${jobId}`}, max_attempts => 1)`;
}

/** Creates or upgrades the queue's own tables. */
export async function migrateQueue(pool: pg.Pool): Promise<void> {
  const utils = await makeWorkerUtils({ pgPool: pool, logger: silent });
  try {
    await utils.migrate();
  } finally {
    await utils.release();
  }
}

/** Runs tasks until it is disposed of; then waits for those that are under way. */
export async function startQueue(options: {
  pool: pg.Pool;
  tasks: Tasks;
  log: Log;
  signal: AbortSignal;
}): Promise<AsyncDisposable> {
  const { pool, tasks, log, signal } = options;
  const perform = (name: TaskName) => async (payload: unknown) => {
    const { jobId } = payload as { jobId: string };
    try {
      await tasks[name](jobId, signal);
    } catch (error) {
      log.error({ err: error, task: name, jobId }, "a background task failed");
    }
  };
  const runner = await run({
    pgPool: pool,
    concurrency: 8,
    noHandleSignals: true,
    logger: silent,
    // New tasks are announced by NOTIFY; this is the safety net.
    pollInterval: 5_000,
    taskList: { issue: perform("issue"), advance: perform("advance") },
  });
  return {
    async [Symbol.asyncDispose]() {
      await runner.stop();
    },
  };
}

const silent = new Logger(() => () => {});
