import { Prisma } from "#gen/prisma/client.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { grantedCertificate } from "../auth/grants.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { invalid } from "../platform/errors.ts";

const mostMs = 366 * 86_400_000;

/** Acknowledges groups, or takes that back; what they say counts as read then. Returns how many there were. */
export async function acknowledgeGroups(
  db: Database,
  actor: Actor,
  { ids, undo }: { ids: readonly string[]; undo: boolean },
  now: Date,
): Promise<number> {
  return db.$transaction(async (tx) => {
    const known = await existing(tx, actor, ids);
    await set(tx, known, {
      acknowledgedAt: undo ? null : now,
      acknowledgedBy: undo ? "" : actor.id,
    });
    if (!undo)
      await tx.notification.updateMany({
        where: { incidentKey: { in: known }, readAt: null },
        data: { readAt: now },
      });
    await audit(tx, actor, undo ? "notifications_reopened" : "notifications_acknowledged", known, {});
    return known.length;
  });
}

/** Hides groups until a moment; null: they come back now. Returns how many there were. */
export async function snoozeGroups(
  db: Database,
  actor: Actor,
  { ids, until }: { ids: readonly string[]; until: Date | null },
  now: Date,
): Promise<number> {
  if (until && (until <= now || until.getTime() > now.getTime() + mostMs))
    throw invalid({ field: "until", description: "must be in the future, at most a year away" });
  return db.$transaction(async (tx) => {
    const known = await existing(tx, actor, ids);
    await set(tx, known, { snoozedUntil: until, snoozedBy: until ? actor.id : "" });
    const details = { until: until?.toISOString() ?? null };
    await audit(tx, actor, until ? "notifications_snoozed" : "notifications_woken", known, details);
    return known.length;
  });
}

/** Those of the groups that exist and that the actor reaches. */
async function existing(tx: Transaction, { grants }: Actor, ids: readonly string[]): Promise<string[]> {
  const rows = await tx.$queryRaw<{ key: string }[]>`
    SELECT DISTINCT e.incident_key AS key FROM notification_events e
    WHERE e.incident_key = ANY(${[...ids]}::text[])
      AND ${grantedCertificate(grants, Prisma.sql`e.certificate_id`)} ORDER BY 1`;
  return rows.map(({ key }) => key);
}

async function set(
  tx: Transaction,
  keys: readonly string[],
  data: Omit<Prisma.NotificationGroupUncheckedCreateInput, "incidentKey">,
): Promise<void> {
  for (const incidentKey of keys)
    await tx.notificationGroup.upsert({
      where: { incidentKey },
      create: { incidentKey, ...data },
      update: data,
    });
}

async function audit(
  tx: Transaction,
  actor: Actor,
  action: string,
  keys: readonly string[],
  details: Record<string, string | null>,
): Promise<void> {
  if (keys.length === 0) return;
  await recordAudit(tx, actor, {
    action,
    resourceType: "notification",
    resourceId: keys.length === 1 ? (keys[0] ?? "") : `${keys.length} groups`,
    details: { ...details, groups: keys },
  });
}
