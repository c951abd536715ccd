import { Prisma } from "#gen/prisma/client.ts";
import { certificateViews } from "../certificates/view.ts";
import type { Database } from "../platform/database.ts";

export interface DayCounts {
  /** "2026-11-24", UTC. */
  date: string;
  issued: number;
  issuancesFailed: number;
  deploymentsProven: number;
  deploymentsFailed: number;
  expiring: number;
  renewalsPlanned: number;
}

const dayOf = (column: Prisma.Sql) => Prisma.sql`(${column} AT TIME ZONE 'UTC')::date`;

/** What happened on each day, and what ends on it, from `back` days ago to `ahead` days from now; no day is left out. */
export async function countDays(
  db: Database,
  { back, ahead, now }: { back: number; ahead: number; now: Date },
): Promise<DayCounts[]> {
  const today = now.toISOString().slice(0, 10);
  return db.$queryRaw<DayCounts[]>`
    WITH days AS (
      SELECT ${today}::date + n AS day FROM generate_series(${-back}::int, ${ahead}::int) AS n
    ), bounds AS (
      SELECT min(day)::timestamp AT TIME ZONE 'UTC' AS first, (max(day) + 1)::timestamp AT TIME ZONE 'UTC' AS beyond FROM days
    ), versions AS (
      SELECT ${dayOf(Prisma.sql`v.created_at`)} AS day, count(*)::int AS issued
      FROM certificate_versions v, bounds WHERE v.created_at >= first AND v.created_at < beyond GROUP BY 1
    ), ended AS (
      SELECT ${dayOf(Prisma.sql`j.completed_at`)} AS day,
        count(*) FILTER (WHERE j.type IN ('Issuance', 'Renewal') AND j.status = 'Failed')::int AS issuances_failed,
        count(*) FILTER (WHERE j.type = 'Deployment' AND j.status = 'Completed')::int AS proven,
        count(*) FILTER (WHERE j.type = 'Deployment' AND j.status = 'Failed')::int AS failed
      FROM jobs j, bounds WHERE j.completed_at >= first AND j.completed_at < beyond GROUP BY 1
    ), live AS MATERIALIZED (
      SELECT "expiresAt", "renewAt" FROM (${certificateViews(now)}) views
      WHERE "archivedAt" IS NULL AND "expiresAt" IS NOT NULL
    ), expiring AS (
      SELECT ${dayOf(Prisma.sql`"expiresAt"`)} AS day, count(*)::int AS count FROM live GROUP BY 1
    ), planned AS (
      SELECT ${dayOf(Prisma.sql`"renewAt"`)} AS day, count(*)::int AS count FROM live GROUP BY 1
    )
    SELECT to_char(days.day, 'YYYY-MM-DD') AS date, coalesce(versions.issued, 0) AS issued,
      coalesce(ended.issuances_failed, 0) AS "issuancesFailed", coalesce(ended.proven, 0) AS "deploymentsProven",
      coalesce(ended.failed, 0) AS "deploymentsFailed", coalesce(expiring.count, 0) AS expiring,
      coalesce(planned.count, 0) AS "renewalsPlanned"
    FROM days
    LEFT JOIN versions USING (day) LEFT JOIN ended USING (day)
    LEFT JOIN expiring USING (day) LEFT JOIN planned USING (day)
    ORDER BY days.day`;
}
