import type { WorkItem } from "#gen/certctl/v1/agent_work_pb.ts";
import { type PerformDeps, perform } from "./perform.ts";

/** The jobs that this agent is working on. */
export interface Workshop {
  /** Starts a job. One that is given out again replaces the work under its old lease. */
  take(item: WorkItem): void;
  /** Stops the work under a lease that is lost. */
  abandon(leaseId: string): void;
  /** The leases of the work that is going on. */
  held(): { jobId: string; leaseId: string }[];
  /** Stops everything and waits for it. */
  stop(): Promise<void>;
}

interface Running {
  item: WorkItem;
  abort: AbortController;
  done: Promise<void>;
}

export function createWorkshop(deps: PerformDeps): Workshop {
  const running = new Map<string, Running>();
  return {
    take(item) {
      const before = running.get(item.jobId);
      before?.abort.abort();
      const abort = new AbortController();
      const done = (before?.done ?? Promise.resolve())
        .then(() => perform(deps, item, abort.signal))
        .finally(() => {
          if (running.get(item.jobId)?.item === item) running.delete(item.jobId);
        });
      running.set(item.jobId, { item, abort, done });
    },
    abandon(leaseId) {
      for (const { item, abort } of running.values()) if (item.leaseId === leaseId) abort.abort();
    },
    held: () => Array.from(running.values(), ({ item: { jobId, leaseId } }) => ({ jobId, leaseId })),
    async stop() {
      for (const { abort } of running.values()) abort.abort();
      await Promise.allSettled(Array.from(running.values(), ({ done }) => done));
    },
  };
}
