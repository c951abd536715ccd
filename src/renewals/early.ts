import { recordAudit, system } from "../audit/record.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { DueCertificate } from "./due.ts";

/** How many early renewals a day need nobody's yes: this share of the fleet, and never fewer than `atLeast`. */
export interface EarlyBound {
  share: number;
  atLeast: number;
}

const dayMs = 86_400_000;

/** How many early renewals a day need nobody's yes, in a fleet of this size. */
export async function earlyBound(db: Database, { share, atLeast }: EarlyBound): Promise<number> {
  const [row] = await db.$queryRaw<[{ fleet: number }]>`
    SELECT count(*)::int AS fleet FROM managed_certificates c
    JOIN current_versions current ON current.certificate_id = c.id WHERE c.archived_at IS NULL`;
  return Math.max(atLeast, Math.floor(row.fleet * share));
}

/** How many early renewals may be opened now. */
export async function earlyAllowance(db: Database, bound: EarlyBound, now: Date): Promise<number> {
  const since = new Date(now.getTime() - dayMs);
  const [most, [row]] = await Promise.all([
    earlyBound(db, bound),
    db.$queryRaw<[{ started: number }]>`
      SELECT count(DISTINCT j.certificate_id)::int AS started FROM jobs j WHERE j.is_early AND j.created_at > ${since}`,
  ]);
  return Math.max(0, most - row.started);
}

/**
 * Puts early renewals that are too many into an operation that waits for a person. There is one such operation; later
 * ones join it. What somebody declined within the last day is not asked for again. Returns how many wait.
 */
export async function holdBack(
  db: Database,
  certificates: readonly DueCertificate[],
  { allowance, now }: { allowance: number; now: Date },
): Promise<number> {
  if (certificates.length === 0) return 0;
  const ids = certificates.map(({ id }) => id);
  return db.$transaction(async (tx) => {
    const declinedSince = new Date(now.getTime() - dayMs);
    const declined = await tx.operation.findFirst({
      where: { kind: "EarlyRenewals", status: "Cancelled", finishedAt: { gt: declinedSince } },
    });
    if (declined) return ids.length;
    // Locked: what is added to it is part of what a person says yes to.
    const [waiting] = await tx.$queryRaw<{ id: string }[]>`
      SELECT id FROM operations WHERE kind = 'EarlyRenewals' AND status = 'AwaitingApproval' FOR UPDATE`;
    const id = waiting?.id ?? newId("op");
    if (!waiting) {
      const reason = `${ids.length} certificates would be renewed before their planned time, ${allowance} may be without a person's yes; has a renewal policy been changed?`;
      await tx.operation.create({
        data: {
          id,
          kind: "EarlyRenewals",
          status: "AwaitingApproval",
          filter: {},
          changes: {},
          reason,
          createdBy: system.id,
          createdType: system.type,
          createdAt: now,
        },
      });
      await recordAudit(tx, system, {
        action: "renewals_held",
        resourceType: "operation",
        resourceId: id,
        details: { total: ids.length, allowance },
      });
      await raiseEvent(tx, { type: "RenewalsHeld", operationId: id, reason }, now);
    }
    await tx.$executeRaw`
      INSERT INTO operation_items (operation_id, certificate_id, job_ids)
      SELECT ${id}, held, '{}' FROM unnest(${ids}::text[]) AS held ON CONFLICT DO NOTHING`;
    return ids.length;
  });
}
