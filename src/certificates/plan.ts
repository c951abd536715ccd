import { Prisma } from "#gen/prisma/client.ts";

/*
 * When a certificate is to be renewed and when people are to worry, as SQL over the aliases `c` (managed_certificates),
 * `current` (its current version) and `policy` (its renewal policy). One source for status, checker and alerts.
 */

/**
 * The current version of `c`: the newest of each agent's that still makes its key; of several, the one that ends first. A
 * version of an agent that makes its key no longer counts only while there is no other.
 */
export const currentVersion = Prisma.sql`(
  SELECT newest.* FROM (
    SELECT DISTINCT ON (v.agent_id) v.* FROM certificate_versions v WHERE v.certificate_id = c.id
    ORDER BY v.agent_id, v.created_at DESC
  ) newest
  ORDER BY (newest.agent_id IS NOT DISTINCT FROM c.agent_id OR EXISTS (
    SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
    WHERE m.certificate_id = c.id AND t.agent_id = newest.agent_id
  )) DESC, newest.not_after
  LIMIT 1
)`;

/** The policy's window before the end, but never before two thirds of the lifetime have passed. */
export const renewAt = Prisma.sql`date_trunc('milliseconds', current.not_after - least(
  (current.not_after - current.not_before) / 3, policy.renewal_window_days * interval '1 day'))`;

/**
 * From when the certificate counts as expiring. Where certctl renews, that is a day after the planned renewal: until
 * then all is well. Where it does not, it is the first alert threshold.
 */
export const expiringFrom = Prisma.sql`(CASE WHEN policy.auto_renew THEN ${renewAt} + interval '1 day'
  ELSE current.not_after - policy.alert_thresholds_days[1] * interval '1 day' END)`;

/** Less than a sixth of the lifetime is left. */
export const atRiskFrom = Prisma.sql`(current.not_after - (current.not_after - current.not_before) / 6)`;

/** The same plan for a version that is being made. */
export function planRenewal(notBefore: Date, notAfter: Date, windowDays: number): Date {
  const lifetimeMs = notAfter.getTime() - notBefore.getTime();
  return new Date(notAfter.getTime() - Math.min(lifetimeMs / 3, windowDays * 86_400_000));
}
