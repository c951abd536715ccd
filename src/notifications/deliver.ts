import { recordAudit, system } from "../audit/record.ts";
import { enqueue } from "../jobs/queue.ts";
import { openConfig } from "../notifiers/manage.ts";
import type { Fact, Notice } from "../notifiers/notifier.ts";
import { notifierByKind } from "../notifiers/registry.ts";
import { type Delivery, sendNotice } from "../notifiers/send.ts";
import type { Database } from "../platform/database.ts";
import type { Egress } from "../platform/egress.ts";
import { newId } from "../platform/ids.ts";
import type { Sealer } from "../platform/seal.ts";
import { obstacleOf } from "./raise.ts";

export interface DeliverDeps {
  db: Database;
  sealer: Sealer;
  egress: Egress;
  clock: () => Date;
}

/** Tries before a notification is dead. */
const mostAttempts = 5;
const longestWaitMinutes = 60;

/** How long a notification waits after its nth failed try. */
export function waitMinutes(attempts: number): number {
  return Math.min(2 ** attempts, longestWaitMinutes);
}

/**
 * Sends a notification that is due and that no other replica is sending, and records what became of it. Its lease outlasts
 * the longest try; after a crash in between it may be sent a second time, under the same id.
 */
export async function deliver(deps: DeliverDeps, id: string, signal: AbortSignal): Promise<void> {
  const { db, sealer, egress, clock } = deps;
  const now = clock();
  const leaseId = newId("lease");
  const attempts = await claim(db, id, leaseId, now);
  if (attempts === null) return;
  const row = await db.notification.findUniqueOrThrow({ where: { id }, include: { notifier: true } });
  const channel = row.notifier && {
    ...row.notifier,
    notifierId: row.notifier.id,
    recipient: row.recipient,
  };
  const notifier = row.notifier && notifierByKind.get(row.notifier.kind);
  const obstacle = obstacleOf(channel);
  const startedAt = performance.now();
  let delivery: Delivery = { isDelivered: false, words: obstacle };
  if (obstacle === "" && row.notifier && notifier) {
    const notice = { ...row, facts: row.facts as unknown as Fact[], at: row.createdAt } as Notice;
    try {
      delivery = await sendNotice(notifier, openConfig(sealer, row.notifier), notice, {
        signal,
        egress,
        now,
      });
    } catch (error) {
      await release(db, id, leaseId);
      throw error;
    }
  }
  const isLast = obstacle !== "" || attempts >= mostAttempts;
  await record(deps, {
    id,
    leaseId,
    attempt: attempts,
    notifierId: row.notifierId ?? "",
    recipient: row.recipient,
    delivery,
    status: delivery.isDelivered ? "sent" : isLast ? "dead" : "failed",
    durationMs: Math.round(performance.now() - startedAt),
  });
}

/** Takes the lease and counts the try; null if it is not due or another one has it. */
async function claim(db: Database, id: string, leaseId: string, now: Date): Promise<number | null> {
  const [row] = await db.$queryRaw<{ attempts: number }[]>`
    UPDATE notification_events
    SET lease_id = ${leaseId}, lease_expires_at = now() + interval '90 seconds', attempts = attempts + 1
    WHERE id = ${id} AND status IN ('pending', 'failed') AND next_attempt_at <= ${now}
      AND (lease_expires_at IS NULL OR lease_expires_at <= now())
    RETURNING attempts`;
  return row?.attempts ?? null;
}

/** Gives back what was not tried to its end: the process stops. */
async function release(db: Database, id: string, leaseId: string): Promise<void> {
  await db.$executeRaw`
    UPDATE notification_events SET lease_id = NULL, lease_expires_at = NULL, attempts = attempts - 1
    WHERE id = ${id} AND lease_id = ${leaseId}`;
}

interface Outcome {
  id: string;
  leaseId: string;
  attempt: number;
  notifierId: string;
  recipient: string;
  delivery: Delivery;
  status: "sent" | "failed" | "dead";
  durationMs: number;
}

async function record({ db, clock }: DeliverDeps, outcome: Outcome): Promise<void> {
  const { id, leaseId, attempt, notifierId, recipient, delivery, status, durationMs } = outcome;
  const now = clock();
  const nextAttemptAt = new Date(now.getTime() + waitMinutes(attempt) * 60_000);
  await db.$transaction(async (tx) => {
    const { count } = await tx.notification.updateMany({
      where: { id, leaseId },
      data: {
        status,
        leaseId: null,
        leaseExpiresAt: null,
        lastError: delivery.isDelivered ? "" : delivery.words,
        ...(status === "sent" ? { sentAt: now } : {}),
        ...(status === "failed" ? { nextAttemptAt } : {}),
      },
    });
    if (count === 0) return;
    await tx.notificationDelivery.create({
      data: {
        notificationId: id,
        at: now,
        attempt,
        notifierId,
        recipient,
        delivered: delivery.isDelivered,
        words: delivery.words,
        durationMs,
      },
    });
    if (status === "failed") await enqueue(tx, "notify", id, nextAttemptAt);
    if (status === "dead") {
      const details = { notifier_id: notifierId, error: delivery.words, attempts: attempt };
      await recordAudit(tx, system, {
        action: "notification_dead",
        resourceType: "notification",
        resourceId: id,
        details,
      });
    }
  });
}
