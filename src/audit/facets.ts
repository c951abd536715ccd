import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";

interface Count {
  name: string;
  count: number;
}

const columns = {
  actions: Prisma.sql`action`,
  resourceTypes: Prisma.sql`resource_type`,
  actors: Prisma.sql`actor`,
};

/** How many events of a time there are, by action, resource type and actor: the most frequent first. */
export async function countAuditEvents(
  db: Database,
  { from, to }: { from: Date | null; to: Date | null },
): Promise<Record<keyof typeof columns, Count[]>> {
  const within = Prisma.sql`at >= ${from ?? new Date(0)} AND ${to ? Prisma.sql`at < ${to}` : Prisma.sql`true`}`;
  const count = (column: Prisma.Sql) =>
    db.$queryRaw<Count[]>`
      SELECT ${column} AS name, count(*)::int AS count FROM audit_events WHERE ${within}
      GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100`;
  const [actions, resourceTypes, actors] = await Promise.all([
    count(columns.actions),
    count(columns.resourceTypes),
    count(columns.actors),
  ]);
  return { actions, resourceTypes, actors };
}
