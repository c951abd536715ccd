import { Prisma } from "#gen/prisma/client.ts";
import { atRiskFrom, renewAt } from "../certificates/plan.ts";
import type { Database, Transaction } from "../platform/database.ts";

/** A certificate that its policy wants renewed now. */
export interface DueCertificate {
  id: string;
  expiresAt: Date;
  /**
   * It is renewed before the time that was planned when it was issued: somebody changed its policy since. A renewal that
   * is due by its own plan, or with less than a sixth of its life left, is not early.
   */
  isEarly: boolean;
}

/** After a renewal that failed or was cancelled, the next one is opened this much later. */
export const renewalPauseHours = 24;

/** Certificates that are due, with nothing open and nothing failed lately; those that end first come first. */
export async function dueCertificates(
  db: Database | Transaction,
  now: Date,
  only?: string,
): Promise<DueCertificate[]> {
  const one = only === undefined ? Prisma.empty : Prisma.sql`AND c.id = ${only}`;
  const pausedSince = new Date(now.getTime() - renewalPauseHours * 3_600_000);
  return db.$queryRaw<DueCertificate[]>`
    SELECT c.id, current.not_after AS "expiresAt",
      current.renew_at > ${now} AND ${atRiskFrom} > ${now} AS "isEarly"
    FROM managed_certificates c
    JOIN renewal_policies policy ON policy.id = c.renewal_policy_id AND policy.auto_renew
    JOIN current_versions current ON current.certificate_id = c.id
    WHERE c.archived_at IS NULL ${one} AND ${renewAt} <= ${now}
      AND (c.agent_id IS NOT NULL
        OR EXISTS (SELECT 1 FROM certificate_target_mappings m WHERE m.certificate_id = c.id))
      AND NOT EXISTS (
        SELECT 1 FROM jobs j WHERE j.certificate_id = c.id AND j.type IN ('Issuance', 'Renewal')
          AND (j.status IN ('Pending', 'AwaitingCSR', 'Running')
            OR (j.status IN ('Failed', 'Cancelled') AND j.completed_at > ${pausedSince}))
      )
    ORDER BY current.not_after, c.id`;
}
