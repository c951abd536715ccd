import type { Bus } from "../platform/bus.ts";
import type { Database } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";
import { Wakeup } from "../platform/wakeup.ts";
import { claimTask, finishTask, leaseMs, nextDue, registerTasks } from "./store.ts";
import type { ScheduledTask } from "./task.ts";

/** A task that failed is tried again after this long, or after its interval if that is shorter. */
const retryMs = 60_000;
/** Looks again this often, even if nothing is known to be due: the clock may have been set. */
const lookEveryMs = 30_000;

export interface SchedulerDeps {
  db: Database;
  clock: () => Date;
  log: Log;
  replicaId: string;
  tasks: readonly ScheduledTask[];
}

/** Runs every task that is due now and that no other replica has. Returns the names of those that ran. */
export async function runDue(deps: SchedulerDeps, signal: AbortSignal): Promise<string[]> {
  const ran: string[] = [];
  for (const task of deps.tasks) {
    if (signal.aborted) break;
    if (await runIfDue(deps, task, signal)) ran.push(task.name);
  }
  return ran;
}

async function runIfDue(deps: SchedulerDeps, task: ScheduledTask, signal: AbortSignal): Promise<boolean> {
  const { db, clock, log, replicaId } = deps;
  const now = clock();
  if (!(await claimTask(db, task.name, replicaId, now))) return false;
  const startedAt = performance.now();
  // A little before the lease ends: what runs longer would run twice.
  const limit = AbortSignal.timeout(leaseMs - 30_000);
  const outcome = await task.run(now, AbortSignal.any([signal, limit])).then(
    (result) => ({ result, error: "", waitMs: task.everyMs }),
    (error: unknown) => {
      log.warn({ err: error, task: task.name }, "a scheduled task failed");
      const text = error instanceof Error ? error.message : String(error);
      return { result: "", error: text, waitMs: Math.min(task.everyMs, retryMs) };
    },
  );
  await finishTask(db, {
    name: task.name,
    replicaId,
    nextRunAt: new Date(now.getTime() + outcome.waitMs),
    durationMs: Math.round(performance.now() - startedAt),
    result: outcome.result,
    error: outcome.error,
  });
  return true;
}

/** Makes the tasks known, so that they can run. */
export async function prepareScheduler({ db, tasks, clock }: SchedulerDeps): Promise<void> {
  await registerTasks(db, tasks, clock());
}

/** Runs tasks when they are due until it is disposed of; then waits for the one that is under way. */
export async function startScheduler(deps: SchedulerDeps & { bus: Bus }): Promise<AsyncDisposable> {
  const { db, bus, clock, log, tasks } = deps;
  const names = tasks.map(({ name }) => name);
  await prepareScheduler(deps);
  const stopping = new AbortController();
  const wakeup = new Wakeup(stopping.signal);
  const subscriptions = [bus.subscribe("schedule", () => wakeup.wake()), bus.onResumed(() => wakeup.wake())];

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const waitMs = await runDue(deps, stopping.signal)
        .then(() => nextDue(db, names))
        .then(
          (at) => (at ? at.getTime() - clock().getTime() : lookEveryMs),
          (error: unknown) => {
            log.warn({ err: error }, "the scheduler could not look for due tasks; it tries again");
            return retryMs;
          },
        );
      // Replicas wake up a little apart, so that they do not all ask at once.
      await wakeup.wait(Math.min(Math.max(waitMs, 0) + Math.random() * 50, lookEveryMs));
    }
  }

  const ended = loop();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await ended;
      wakeup[Symbol.dispose]();
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
    },
  };
}
