import { type Actor, recordAudit } from "../audit/record.ts";
import { retryableJobs } from "../jobs/causes.ts";
import { enqueue } from "../jobs/queue.ts";
import type { Database } from "../platform/database.ts";
import { conflict } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";

export interface RetryWish {
  causeId: string;
  since: Date;
  isDryRun: boolean;
  /** What a dry run counted; undefined: whatever matches. */
  expectedJobs: number | undefined;
}

/** How many jobs are retried, and by which operation; an empty id: none, it was a dry run. */
export interface RetryPlan {
  jobs: number;
  certificates: number;
  operationId: string;
}

/** Starts the operation that retries every job which failed for a cause: chosen in the transaction that makes it. */
export async function retryJobs(
  { db, clock }: { db: Database; clock: () => Date },
  actor: Actor,
  { causeId, since, isDryRun, expectedJobs }: RetryWish,
): Promise<RetryPlan> {
  return db.$transaction(
    async (tx) => {
      const items = await retryableJobs(tx, actor.grants, { since, causeId });
      const jobs = items.reduce((sum, { jobIds }) => sum + jobIds.length, 0);
      const plan = { jobs, certificates: items.length, operationId: "" };
      if (isDryRun) return plan;
      if (jobs === 0)
        throw conflict("NOTHING_TO_RETRY", `no job that failed for cause ${causeId} can be retried any more`);
      if (expectedJobs !== undefined && expectedJobs !== jobs) {
        throw conflict(
          "TOTAL_CHANGED",
          `${jobs} jobs match now, not ${expectedJobs}; look at the dry run again`,
          [{ field: "expected_jobs", description: `is ${jobs} now` }],
        );
      }
      const id = newId("op");
      await tx.operation.create({
        data: {
          id,
          kind: "RetryJobs",
          status: "Running",
          filter: {},
          changes: {},
          reason: `${jobs} jobs that failed with ${items[0]?.sample ?? ""}`,
          createdBy: actor.id,
          createdType: actor.type,
          createdAt: clock(),
        },
      });
      await tx.operationItem.createMany({
        data: items.map(({ certificateId, jobIds }) => ({ operationId: id, certificateId, jobIds })),
      });
      await recordAudit(tx, actor, {
        action: "operation_created",
        resourceType: "operation",
        resourceId: id,
        details: { kind: "RetryJobs", total: items.length, jobs, cause: causeId },
      });
      await enqueue(tx, "operate", id);
      return { ...plan, operationId: id };
    },
    { timeout: 120_000 },
  );
}
