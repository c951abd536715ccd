import { type Actor, recordAudit } from "../audit/record.ts";
import { requireCertificate } from "../auth/grants.ts";
import { notify } from "../platform/bus.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { conflict, notFound } from "../platform/errors.ts";
import { offerRoom } from "./lease.ts";
import { isOpen } from "./state.ts";
import { addEvent, transition } from "./transition.ts";

/**
 * Cancels an open job. An agent that is at it is told to drop it, and rolls back what it has begun. A certificate that
 * its CA signs at this moment is not published. Cancelling a cancelled job changes nothing.
 */
export async function cancelJob(
  { db, clock }: { db: Database; clock: () => Date },
  actor: Actor,
  id: string,
): Promise<void> {
  await db.$transaction((tx) => cancelWithin(tx, actor, id, clock()));
}

/** The same as part of a transaction. */
export async function cancelWithin(tx: Transaction, actor: Actor, id: string, now: Date): Promise<void> {
  await tx.$queryRaw`SELECT id FROM jobs WHERE id = ${id} FOR UPDATE`;
  const job = await tx.job.findUnique({ where: { id } });
  if (!job) throw notFound("job", id);
  await requireCertificate(tx, actor.grants, job.certificateId);
  if (job.status === "Cancelled") return;
  if (!isOpen(job.status))
    throw conflict("JOB_ENDED", `job ${id} is ${job.status} already; only open jobs can be cancelled`);
  await transition(tx, job, "Cancelled", { completedAt: now, leaseExpiresAt: null });
  await addEvent(tx, job, "cancelled", `by ${actor.id}`);
  await recordAudit(tx, actor, {
    action: "job_cancelled",
    resourceType: "job",
    resourceId: id,
    details: { type: job.type, certificate_id: job.certificateId, was: job.status },
  });
  if (job.leaseExpiresAt && job.leaseId) {
    await notify(tx, "lease", `${job.agentId} ${id} ${job.leaseId}`);
    await offerRoom(tx, job.agentId);
  }
}
