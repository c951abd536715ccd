import type { ConnectError } from "@connectrpc/connect";
import { ConnectError as Refusal } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/certctl/v1/errors_pb.ts";
import type { Operation } from "#gen/prisma/client.ts";
import { type Actor, recordAudit, system } from "../audit/record.ts";
import { unrestricted } from "../auth/grants.ts";
import { operatorType } from "../auth/principal.ts";
import { archiveCertificateWithin } from "../certificates/declare.ts";
import { lockLive } from "../certificates/lock.ts";
import { type Reassignment, reassignCertificate } from "../certificates/reassign.ts";
import { openRenewal } from "../certificates/renew.ts";
import { revokeWithin } from "../certificates/revoke.ts";
import type { IssuerKinds } from "../issuers/manage.ts";
import { enqueue } from "../jobs/queue.ts";
import { retryWithin } from "../jobs/retry-by-hand.ts";
import { type Database, isUniqueViolation, type Transaction } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";
import { dueCertificates } from "../renewals/due.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import type { Revocation } from "./create.ts";

export interface OperateDeps {
  db: Database;
  issuerKinds: IssuerKinds;
  clock: () => Date;
  log: Log;
}

/** One certificate of an operation, with the jobs that are to be retried. */
interface Item {
  certificateId: string;
  jobIds: string[];
}

/** What became of one certificate. */
interface ItemResult {
  status: "Done" | "Skipped" | "Failed";
  message?: string;
  jobIds?: string[];
}

/** Refusals that say that there is nothing to do. */
const nothingToDo = ["NOTHING_TO_REVOKE", "RENEWAL_OPEN", "ARCHIVED", "JOB_NOT_ENDED", "SUPERSEDED"];

/** A run makes room for other tasks after this long, and goes on behind them. */
const turnMs = 20_000;

/**
 * Works through a running operation, one certificate after the other, each in a transaction with its mark: what is done is
 * done once, whoever is killed or runs it at the same time.
 */
export async function runOperation(deps: OperateDeps, id: string, signal: AbortSignal): Promise<void> {
  const turnEndsAt = performance.now() + turnMs;
  while (!signal.aborted) {
    if (performance.now() > turnEndsAt) return deps.db.$transaction((tx) => enqueue(tx, "operate", id));
    const isThereMore = await nextItem(deps, id);
    if (!isThereMore) return finish(deps, id);
  }
}

/** The safety net under operations, as the scheduler runs it. */
export function operationTask(db: Database, everyMs: number): ScheduledTask {
  return {
    name: "operations",
    title: "Picks up operations that were lost on the way",
    everyMs,
    run: async () => `${await resumeOperations(db, 3 * turnMs)} operations resumed`,
  };
}

/**
 * Sets running operations going whose task was lost with its server: none waits, and none has been at work for `silentMs`.
 * One too many does no harm.
 */
export async function resumeOperations(db: Database, silentMs: number): Promise<number> {
  return db.$transaction(async (tx) => {
    const lost = await tx.$queryRaw<{ id: string }[]>`
      SELECT o.id FROM operations o WHERE o.status = 'Running' AND NOT EXISTS (
        SELECT 1 FROM graphile_worker.jobs t WHERE t.key = 'operate:' || o.id
          AND (t.locked_at IS NULL OR t.locked_at > now() - ${silentMs} * interval '1 millisecond'))`;
    for (const { id } of lost) await enqueue(tx, "operate", id);
    return lost.length;
  });
}

/** Does the next certificate of an operation. False: none is left, or the operation does not run. */
async function nextItem(deps: OperateDeps, id: string): Promise<boolean> {
  const { db, log } = deps;
  let at: Item | undefined;
  try {
    return await db.$transaction(async (tx) => {
      [at] = await tx.$queryRaw<Item[]>`
        SELECT i.certificate_id AS "certificateId", i.job_ids AS "jobIds" FROM operation_items i JOIN operations o ON o.id = i.operation_id
        WHERE o.id = ${id} AND o.status = 'Running' AND i.status = 'Pending'
        ORDER BY i.certificate_id LIMIT 1 FOR UPDATE OF i SKIP LOCKED`;
      if (!at) return false;
      const operation = await tx.operation.findUniqueOrThrow({ where: { id } });
      const result = await perform(tx, deps, operation, at);
      await mark(tx, id, at.certificateId, result);
      return true;
    });
  } catch (error) {
    if (!at) throw error;
    const { certificateId } = at;
    if (!(error instanceof Refusal || isUniqueViolation(error)))
      log.error({ err: error, operationId: id, certificateId }, "an item failed");
    const result = resultOf(error);
    await db.$transaction((tx) => mark(tx, id, certificateId, result));
    return true;
  }
}

async function perform(
  tx: Transaction,
  deps: OperateDeps,
  operation: Operation,
  { certificateId, jobIds }: Item,
): Promise<ItemResult> {
  const actor = actorOf(operation);
  const now = deps.clock();
  if (operation.kind === "RetryJobs") {
    for (const jobId of jobIds) await retryWithin(tx, actor, jobId, now);
    return { status: "Done", jobIds };
  }
  if (operation.kind === "Archive") {
    const isDone = await archiveCertificateWithin(tx, actor, certificateId, now);
    return isDone ? { status: "Done" } : { status: "Skipped", message: "it is archived already" };
  }
  if (operation.kind === "Reassign") {
    const changes = operation.changes as unknown as Reassignment;
    const isDone = await reassignCertificate(tx, actor, certificateId, changes, now);
    return isDone ? { status: "Done" } : { status: "Skipped", message: "it is assigned like that already" };
  }
  if (operation.kind === "Revoke") {
    const { reason, force } = operation.changes as unknown as Revocation;
    const wish = { id: certificateId, versionId: "", reason, force };
    return { status: "Done", jobIds: await revokeWithin(tx, deps, actor, wish) };
  }
  await lockLive(tx, actor, certificateId);
  if (operation.kind === "EarlyRenewals") {
    const [due] = await dueCertificates(tx, now, certificateId);
    if (!due) return { status: "Skipped", message: "it is not due any more" };
  }
  return { status: "Done", jobIds: await openRenewal(tx, actor, certificateId, { now }) };
}

function resultOf(error: unknown): ItemResult {
  if (isUniqueViolation(error))
    return { status: "Skipped", message: "another job makes this certificate already" };
  if (!(error instanceof Refusal))
    return { status: "Failed", message: "internal error; the server's log has it" };
  const isNothing = nothingToDo.includes(reasonOf(error));
  return { status: isNothing ? "Skipped" : "Failed", message: error.rawMessage };
}

function reasonOf(error: ConnectError): string {
  return error.findDetails(ErrorInfoSchema)[0]?.reason ?? "";
}

async function mark(
  tx: Transaction,
  operationId: string,
  certificateId: string,
  { status, message = "", jobIds }: ItemResult,
): Promise<void> {
  await tx.operationItem.updateMany({
    where: { operationId, certificateId, status: "Pending" },
    data: { status, message, ...(jobIds && { jobIds }) },
  });
}

async function finish({ db, clock }: OperateDeps, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const count = await tx.$executeRaw`
      UPDATE operations SET status = 'Completed', finished_at = ${clock()}
      WHERE id = ${id} AND status = 'Running'
        AND NOT EXISTS (SELECT 1 FROM operation_items WHERE operation_id = ${id} AND status = 'Pending')`;
    if (count === 0) return;
    await recordAudit(tx, system, {
      action: "operation_completed",
      resourceType: "operation",
      resourceId: id,
    });
  });
}

/** Who asked for it acts in it; what it may reach was settled when its certificates were chosen. */
function actorOf({ id, createdBy, createdType, approvedBy }: Operation): Actor {
  const type = approvedBy === null ? (createdType as Actor["type"]) : operatorType(approvedBy);
  return { type, id: approvedBy ?? createdBy, requestId: id, grants: unrestricted };
}
