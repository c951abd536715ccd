import { Prisma } from "#gen/prisma/client.ts";
import type { Grants } from "../auth/grants.ts";
import type { Database } from "../platform/database.ts";
import { allOf } from "../platform/listing.ts";
import { conditionsOf, filteredJobs, type JobFilter } from "./view.ts";

/** How many jobs match, by what they are. */
export interface JobCounts {
  total: number;
  byStatus: Record<string, number>;
  byType: Record<string, number>;
  byFailureClass: Record<string, number>;
}

/** Counts jobs; by each column as if the filter did not speak of it, so that a list shows what else there is to choose. */
export async function countJobs(db: Database, grants: Grants, filter: JobFilter): Promise<JobCounts> {
  const count = async (column: Prisma.Sql, without: Partial<JobFilter>) => {
    const matches = allOf(conditionsOf(grants, { ...filter, ...without }));
    const rows = await db.$queryRaw<{ key: string; count: number }[]>`
      SELECT ${column} AS key, count(*)::int AS count FROM (${filteredJobs(filter)}) items WHERE ${matches} GROUP BY 1`;
    return Object.fromEntries(rows.filter(({ key }) => key !== "").map((row) => [row.key, row.count]));
  };
  const [byStatus, byType, byFailureClass, all] = await Promise.all([
    count(Prisma.sql`status`, { statuses: [] }),
    count(Prisma.sql`type`, { types: [] }),
    count(Prisma.sql`"failureClass"`, { failureClasses: [] }),
    count(Prisma.sql`'all'`, {}),
  ]);
  return { total: all["all"] ?? 0, byStatus, byType, byFailureClass };
}

const samples = 20;

/** How long jobs of these types took in the middle of the last 20 times, in milliseconds. */
export async function expectedDurations(
  db: Database,
  types: readonly string[],
): Promise<Map<string, number>> {
  const rows = await db.$queryRaw<{ type: string; ms: number }[]>`
    SELECT wanted.type, percentile_disc(0.5) WITHIN GROUP (ORDER BY took.ms)::int AS ms
    FROM unnest(${[...new Set(types)]}::text[]) wanted(type), LATERAL (
      SELECT greatest(0, extract(epoch FROM j.completed_at - j.started_at) * 1000) AS ms FROM jobs j
      WHERE j.type = wanted.type AND j.status = 'Completed' AND j.started_at IS NOT NULL
      ORDER BY j.created_at DESC, j.id DESC LIMIT ${samples}
    ) took GROUP BY wanted.type`;
  return new Map(rows.map(({ type, ms }) => [type, ms]));
}
