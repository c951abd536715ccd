import { Prisma } from "#gen/prisma/client.ts";
import { atRiskFrom, renewAt } from "../certificates/plan.ts";
import type { RevocationReason } from "../issuers/issuer.ts";
import type { Database, Transaction } from "../platform/database.ts";

/** A certificate that its policy wants renewed now. */
export interface DueCertificate {
  id: string;
  expiresAt: Date;
  /**
   * It is renewed before the time that was planned when it was issued: somebody changed its policy since, or its CA wants it. A renewal that
   * is due by its own plan, or with less than a sixth of its life left, is not early, nor is one that its CA wanted before now.
   */
  isEarly: boolean;
  /** Its current version is revoked. */
  isRevoked: boolean;
  /** The time in which its CA wanted it renewed has passed: it may be revoked at any moment. */
  isPastWindow: boolean;
}

/** After a renewal that failed or was cancelled, the next one is opened this much later. */
export const renewalPauseHours = 24;

/** What is revoked for one of these is not to exist any more; what is revoked for others is replaced at once. */
const finalReasons = [
  "CessationOfOperation",
  "PrivilegeWithdrawn",
] as const satisfies readonly RevocationReason[];

export function isFinalReason(reason: string): boolean {
  return finalReasons.some((final) => final === reason);
}

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
      current.renew_at > ${now} AND ${atRiskFrom} > ${now} AND current.revoked_at IS NULL
        AND (current.ari_end IS NULL OR current.ari_end > ${now}) AS "isEarly",
      current.revoked_at IS NOT NULL AS "isRevoked",
      coalesce(current.ari_end <= ${now}, false) AS "isPastWindow"
    FROM managed_certificates c
    JOIN renewal_policies policy ON policy.id = c.renewal_policy_id AND policy.auto_renew
    JOIN current_versions current ON current.certificate_id = c.id
    WHERE c.archived_at IS NULL ${one} AND CASE
        WHEN current.revoked_at IS NULL THEN ${renewAt} <= ${now}
        ELSE current.revocation_reason <> ALL(${[...finalReasons]}::text[])
      END
      AND (c.agent_id IS NOT NULL
        OR EXISTS (SELECT 1 FROM certificate_target_mappings m WHERE m.certificate_id = c.id))
      AND NOT EXISTS (
        SELECT 1 FROM jobs j WHERE j.certificate_id = c.id AND j.type IN ('Issuance', 'Renewal')
          AND (j.status IN ('Pending', 'AwaitingCSR', 'Running')
            OR (j.status IN ('Failed', 'Cancelled') AND j.completed_at > ${pausedSince}))
      )
    ORDER BY current.not_after, c.id`;
}
