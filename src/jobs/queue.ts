import { Logger, makeWorkerUtils, run } from "graphile-worker";
import type pg from "pg";
import type { Transaction } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";

/** Work that a server does in the background. A task carries the id of what it is about, which owns all retries. */
export type TaskName = "issue" | "revoke" | "advance" | "keygen" | "operate" | "notify" | "crl";

/** Does one task. Repeating a task that was done changes nothing. */
export type Tasks = Partial<Record<TaskName, (id: string, signal: AbortSignal) => Promise<void>>>;

/** Enqueues a task with the transaction's other changes: it exists iff they do. A second one of the same id replaces it. */
export async function enqueue(tx: Transaction, task: TaskName, id: string, runAt?: Date): Promise<void> {
  await tx.$executeRaw`
    SELECT graphile_worker.add_job(${task}, json_build_object('id', ${id}::text),
      run_at => ${runAt ?? null}::timestamptz, job_key => ${`${task}:${id}`}, max_attempts => 1)`;
}

/** The same for many. */
export async function enqueueAll(tx: Transaction, task: TaskName, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$executeRaw`
    SELECT graphile_worker.add_job(${task}, json_build_object('id', id), job_key => ${`${task}:`} || id, max_attempts => 1)
    FROM unnest(${[...ids]}::text[]) AS id`;
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
  /** How many tasks run at once. */
  concurrency: number;
  log: Log;
  signal: AbortSignal;
}): Promise<AsyncDisposable> {
  const { pool, tasks, concurrency, log, signal } = options;
  const taskList = Object.fromEntries(
    Object.entries(tasks).map(([name, perform]) => [
      name,
      async (payload: unknown) => {
        const { id } = payload as { id: string };
        try {
          await perform(id, signal);
        } catch (error) {
          if (!signal.aborted) log.error({ err: error, task: name, id }, "a background task failed");
        }
      },
    ]),
  );
  const runner = await run({
    pgPool: pool,
    concurrency,
    noHandleSignals: true,
    logger: silent,
    // New tasks are announced by NOTIFY; this is the safety net.
    pollInterval: 5_000,
    taskList,
  });
  return {
    async [Symbol.asyncDispose]() {
      await runner.stop();
    },
  };
}

const silent = new Logger(() => () => {});
