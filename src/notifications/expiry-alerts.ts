import { Prisma } from "#gen/prisma/client.ts";
import { renewAt } from "../certificates/plan.ts";
import type { Database } from "../platform/database.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import { raiseEvent } from "./raise.ts";

const batch = 500;

interface Candidate {
  id: string;
  versionId: string;
  notAfter: Date;
  renewAt: Date;
  autoRenew: boolean;
  thresholdDays: number;
}

/**
 * Tells of every certificate that crossed an alert threshold: of the tightest one only, once for each version and channel.
 * Where certctl renews by itself, nothing is told before the plan was missed. A certificate without a version is not expiring.
 */
export async function raiseExpiryAlerts(db: Database, now: Date, signal: AbortSignal): Promise<number> {
  let raised = 0;
  let after = "";
  for (;;) {
    const candidates = await findCandidates(db, now, after);
    for (const { id, versionId, notAfter, renewAt: planned, autoRenew, thresholdDays } of candidates) {
      signal.throwIfAborted();
      await db.$transaction((tx) =>
        raiseEvent(
          tx,
          {
            type: "CertificateExpiring",
            certificateId: id,
            versionId,
            notAfter,
            renewAt: autoRenew ? planned : null,
            thresholdDays,
          },
          now,
        ),
      );
      raised++;
    }
    if (candidates.length < batch) return raised;
    after = candidates.at(-1)?.id ?? "";
  }
}

/** Certificates whose tightest crossed threshold is not told of yet on some channel that is to tell it. */
async function findCandidates(db: Database, now: Date, after: string): Promise<Candidate[]> {
  const told = Prisma.sql`
    SELECT 1 FROM notification_events e WHERE e.version_id = current.version_id AND e.threshold_days = crossed.days`;
  const channels = Prisma.sql`
    SELECT 1 FROM renewal_policy_channels ch WHERE ch.renewal_policy_id = policy.id`;
  return db.$queryRaw<Candidate[]>`
    SELECT c.id, current.version_id AS "versionId", current.not_after AS "notAfter", ${renewAt} AS "renewAt",
      policy.auto_renew AS "autoRenew", crossed.days AS "thresholdDays"
    FROM managed_certificates c
    JOIN renewal_policies policy ON policy.id = c.renewal_policy_id
    JOIN current_versions current ON current.certificate_id = c.id
    JOIN LATERAL (
      SELECT min(days) AS days FROM unnest(policy.alert_thresholds_days) days
      WHERE current.not_after - days * interval '1 day' <= ${now}
    ) crossed ON crossed.days IS NOT NULL
    WHERE c.archived_at IS NULL AND c.id > ${after}
      AND (NOT policy.auto_renew OR least(${renewAt} + interval '1 day', current.not_after) <= ${now})
      AND (
        EXISTS (${channels} AND crossed.days = ANY(ch.thresholds_days)
          AND NOT EXISTS (${told} AND e.notifier_id = ch.notifier_id))
        OR (NOT EXISTS (${channels}) AND NOT EXISTS (${told}))
      )
    ORDER BY c.id LIMIT ${batch}`;
}

/** The alerts as the scheduler raises them. */
export function expiryAlertsTask(db: Database, everyMs: number): ScheduledTask {
  return {
    name: "expiry-alerts",
    title: "Tells of certificates that expire",
    everyMs,
    run: async (now, signal) =>
      `${await raiseExpiryAlerts(db, now, signal)} certificates crossed a threshold`,
  };
}
