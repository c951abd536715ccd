import { Prisma } from "#gen/prisma/client.ts";

/*
 * When a certificate is to be renewed and when people are to worry, as SQL over the aliases `c` (managed_certificates),
 * `current` (its row of current_versions) and `policy` (its renewal policy). One source for status, checker and alerts.
 */

/** How long before its end a certificate of this lifetime is renewed: the policy's window, but at most a third of it. */
const leadTime = (lifetime: Prisma.Sql) =>
  Prisma.sql`least((${lifetime}) / 3, policy.renewal_window_days * interval '1 day')`;

/**
 * When the CA wants it (RFC 9773); where it does not say, the policy's window before the end, but never before two thirds of the
 * lifetime have passed.
 */
export const renewAt = Prisma.sql`coalesce(current.ari_renew_at, date_trunc('milliseconds',
  current.not_after - ${leadTime(Prisma.sql`current.not_after - current.not_before`)}))`;

/** The time from one renewal to the next, where each makes a certificate of this lifetime. */
export function renewalInterval(lifetime: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`((${lifetime}) - ${leadTime(lifetime)})`;
}

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
