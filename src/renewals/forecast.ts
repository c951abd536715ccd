import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import { renewAt, renewalInterval } from "../certificates/plan.ts";
import type { Database } from "../platform/database.ts";

export type ForecastGrouping = "" | "issuer" | "team" | "environment";

export interface ForecastWish {
  days: number;
  grouping: ForecastGrouping;
  /** 0: each certificate's own. */
  lifetimeDays: number;
}

/** Renewals of one group on one day, or overdue ones, where the day is null. */
export interface PlannedCount {
  date: string | null;
  value: string;
  name: string;
  count: number;
}

export interface Forecast {
  planned: PlannedCount[];
  expiring: { date: string; count: number }[];
  unplanned: number;
  whenCaWants: number;
}

const groupColumns: Record<ForecastGrouping, Prisma.Sql> = {
  "": Prisma.sql`''`,
  issuer: Prisma.sql`c.issuer_id`,
  team: Prisma.sql`coalesce(c.team_id, '')`,
  environment: Prisma.sql`c.environment`,
};
const groupNames: Record<ForecastGrouping, Prisma.Sql> = {
  "": Prisma.sql`''`,
  issuer: Prisma.sql`coalesce((SELECT name FROM issuers WHERE id = value), '')`,
  team: Prisma.sql`coalesce((SELECT name FROM teams WHERE id = value), '')`,
  environment: Prisma.sql`value`,
};

/** Whether the renewal checker would open a renewal when its time comes. */
const isPlanned = Prisma.sql`(policy.auto_renew AND (c.agent_id IS NOT NULL
  OR EXISTS (SELECT 1 FROM certificate_target_mappings m WHERE m.certificate_id = c.id)))`;

/**
 * Counts the renewals of the days from today on, and what ends on them. What is planned comes again and again, an interval
 * apart. With a lifetime of its own, the plan is that of an inventory which has had it all along.
 */
export async function forecastRenewals(
  db: Database,
  grants: Grants,
  { days, grouping, lifetimeDays }: ForecastWish,
  now: Date,
): Promise<Forecast> {
  const today = Prisma.sql`${now.toISOString().slice(0, 10)}::date`;
  const end = Prisma.sql`(${today} + ${days}::int)::timestamp AT TIME ZONE 'UTC'`;
  const inventory = Prisma.sql`
    FROM managed_certificates c
    JOIN renewal_policies policy ON policy.id = c.renewal_policy_id
    JOIN current_versions current ON current.certificate_id = c.id
    WHERE c.archived_at IS NULL AND ${grantedCertificate(grants, Prisma.sql`c.id`)}`;
  const lifetime =
    lifetimeDays > 0
      ? Prisma.sql`${lifetimeDays}::int * interval '1 day'`
      : Prisma.sql`c.validity_seconds * interval '1 second'`;
  const every = renewalInterval(lifetime);
  const seconds = (value: Prisma.Sql) => Prisma.sql`extract(epoch FROM ${value})`;
  const passed = Prisma.sql`greatest(0, ceil(${seconds(Prisma.sql`(${now} - current.not_before)`)} / ${seconds(every)}))`;
  const first =
    lifetimeDays > 0
      ? Prisma.sql`current.not_before + ${passed} * ${every}`
      : Prisma.sql`greatest(${renewAt}, ${now})`;
  const isOverdue = lifetimeDays > 0 ? Prisma.sql`false` : Prisma.sql`${renewAt} <= ${now}`;
  const [planned, expiring, [rest]] = await Promise.all([
    db.$queryRaw<PlannedCount[]>`
      WITH plans AS MATERIALIZED (
        SELECT ${groupColumns[grouping]} AS value, date_trunc('hour', ${first}) AS first, ${every} AS every,
          ${isOverdue} AS overdue, count(*) AS count
        ${inventory} AND ${isPlanned} GROUP BY 1, 2, 3, 4
      ), counted AS (
        SELECT CASE WHEN NOT overdue OR turn > 0 THEN ((first + turn * every) AT TIME ZONE 'UTC')::date END AS day, value,
          sum(count)::int AS count
        FROM plans CROSS JOIN LATERAL generate_series(0,
          floor(extract(epoch FROM ${end} - interval '1 microsecond' - first) / extract(epoch FROM every))::int) turn
        GROUP BY 1, 2
      )
      SELECT to_char(day, 'YYYY-MM-DD') AS date, value, ${groupNames[grouping]} AS name, count FROM counted
      ORDER BY 1, 4 DESC, 2`,
    db.$queryRaw<{ date: string; count: number }[]>`
      SELECT to_char((current.not_after AT TIME ZONE 'UTC')::date, 'YYYY-MM-DD') AS date, count(*)::int AS count
      ${inventory} AND current.not_after >= ${today}::timestamp AT TIME ZONE 'UTC' AND current.not_after < ${end} GROUP BY 1`,
    db.$queryRaw<[{ unplanned: number; whenCaWants: number }]>`
      SELECT count(*) FILTER (WHERE NOT ${isPlanned})::int AS unplanned,
        count(*) FILTER (WHERE ${isPlanned} AND current.ari_renew_at IS NOT NULL AND ${lifetimeDays}::int = 0)::int AS "whenCaWants"
      ${inventory}`,
  ]);
  return { planned, expiring, ...rest };
}
