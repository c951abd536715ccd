import { type Notification, Prisma } from "#gen/prisma/client.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { grantedCertificate } from "../auth/grants.ts";
import { enqueue } from "../jobs/queue.ts";
import { type Database, isUniqueViolation, type Transaction } from "../platform/database.ts";
import { conflict, invalid, notFound } from "../platform/errors.ts";
import { recipientThrough } from "./channels.ts";
import { obstacleOf } from "./raise.ts";

/** Marks a notification as read or unread. Marking it again changes nothing. */
export async function markRead(
  db: Database,
  actor: Actor,
  { id, isRead }: { id: string; isRead: boolean },
  now: Date,
): Promise<void> {
  await db.$transaction(async (tx) => {
    await lockNotification(tx, actor, id);
    const { count } = await tx.notification.updateMany({
      where: { id, readAt: isRead ? null : { not: null } },
      data: { readAt: isRead ? now : null },
    });
    if (count === 0) return;
    const action = isRead ? "notification_read" : "notification_unread";
    await recordAudit(tx, actor, { action, resourceType: "notification", resourceId: id });
  });
}

/** Marks all notifications that the actor sees as read, or those of a thread. Returns how many were unread. */
export async function markAllRead(db: Database, actor: Actor, thread: string, now: Date): Promise<number> {
  return db.$transaction(async (tx) => {
    const count = await tx.$executeRaw`
      UPDATE notification_events e SET read_at = ${now}
      WHERE e.read_at IS NULL AND (${thread} = '' OR e.thread_key = ${thread})
        AND ${grantedCertificate(actor.grants, Prisma.sql`e.certificate_id`)}`;
    if (count > 0) {
      await recordAudit(tx, actor, {
        action: "notifications_read",
        resourceType: "notification",
        resourceId: thread || "all",
        details: { count },
      });
    }
    return count;
  });
}

/**
 * Has a notification sent that was not: with all its tries, to whom it would go now, and through another notifier if one is
 * named.
 */
export async function requeue(
  db: Database,
  actor: Actor,
  { id, notifierId: wanted }: { id: string; notifierId: string },
  now: Date,
): Promise<void> {
  const write = async (tx: Transaction) => {
    const row = await lockNotification(tx, actor, id);
    if (row.isSending || row.status === "sent" || row.status === "pending") {
      const state = row.isSending ? "is being sent" : row.status === "sent" ? "was sent" : "waits to be sent";
      throw conflict("NOT_FAILED", `notification ${id} ${state}; only what failed can be requeued`);
    }
    const notifierId = wanted || row.notifierId;
    if (!notifierId) {
      throw conflict(
        "NO_CHANNEL",
        `notification ${id} has no channel; name the notifier to send it through`,
        [{ field: "notifier_id", description: "is needed here" }],
      );
    }
    const notifier = await tx.notifier.findUnique({ where: { id: notifierId } });
    if (!notifier)
      throw invalid({ field: "notifier_id", description: `notifier ${notifierId} does not exist` });
    await refuseDouble(tx, row, notifierId);
    const recipient = await recipientThrough(tx, { certificateId: row.certificateId, notifierId });
    const obstacle = obstacleOf({ ...notifier, notifierId, recipient });
    if (obstacle !== "") throw conflict("CANNOT_SEND", obstacle);
    await tx.notification.update({
      where: { id },
      data: {
        notifierId,
        recipient,
        status: "pending",
        attempts: 0,
        nextAttemptAt: now,
        leaseId: null,
        leaseExpiresAt: null,
      },
    });
    await recordAudit(tx, actor, {
      action: "notification_requeued",
      resourceType: "notification",
      resourceId: id,
      details: { notifier_id: notifierId, recipient },
    });
    await enqueue(tx, "notify", id);
  };
  try {
    await db.$transaction(write);
  } catch (error) {
    // Another one was told or requeued through the same notifier at this moment.
    throw isUniqueViolation(error) ? toldAlready(wanted) : error;
  }
}

/** Locks a notification that the actor may change until the transaction ends. Leases go by the database's clock. */
async function lockNotification(
  tx: Transaction,
  { grants }: Actor,
  id: string,
): Promise<Notification & { isSending: boolean }> {
  const [found] = await tx.$queryRaw<{ isSending: boolean }[]>`
    SELECT coalesce(e.lease_expires_at > now(), false) AS "isSending" FROM notification_events e
    WHERE e.id = ${id} AND ${grantedCertificate(grants, Prisma.sql`e.certificate_id`)} FOR UPDATE OF e`;
  if (!found) throw notFound("notification", id);
  return { ...(await tx.notification.findUniqueOrThrow({ where: { id } })), ...found };
}

/** An expiry alert goes through a notifier once. */
async function refuseDouble(
  tx: Transaction,
  { id, versionId, thresholdDays }: { id: string; versionId: string | null; thresholdDays: number | null },
  notifierId: string,
): Promise<void> {
  if (versionId === null || thresholdDays === null) return;
  const other = await tx.notification.findFirst({
    where: { versionId, thresholdDays, notifierId, id: { not: id } },
  });
  if (other) throw toldAlready(notifierId, `as notification ${other.id}`);
}

function toldAlready(notifierId: string, how = "already") {
  return conflict("TOLD_ALREADY", `${notifierId || "the notifier"} has this alert ${how}`);
}
