import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";

export interface TeamView {
  id: string;
  name: string;
  description: string;
  email: string;
  ownerCount: number;
  certificateCount: number;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const shape: ListShape = {
  view: Prisma.sql`
    SELECT t.id, t.name, t.description, t.email, t.created_at AS "createdAt", t.updated_at AS "updatedAt",
      t.archived_at AS "archivedAt",
      (SELECT count(*)::int FROM owners o WHERE o.team_id = t.id AND o.archived_at IS NULL) AS "ownerCount",
      (SELECT count(*)::int FROM managed_certificates c WHERE c.team_id = t.id AND c.archived_at IS NULL)
        AS "certificateCount"
    FROM teams t`,
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    name: { sql: Prisma.sql`name`, type: "text" },
  },
  defaultSort: "-created_at",
};

export async function findTeam(db: Database, id: string): Promise<TeamView | null> {
  const [view] = await db.$queryRaw<TeamView[]>`SELECT * FROM (${shape.view}) items WHERE id = ${id}`;
  return view ?? null;
}

export async function listTeams(
  db: Database,
  request: ListRequest & { archived: boolean; q: string },
): Promise<ListedPage<TeamView>> {
  return listPage<TeamView>(db, shape, request, [
    Prisma.sql`("archivedAt" IS NOT NULL) = ${request.archived}`,
    ...(request.q ? [contains(request.q, [Prisma.sql`name`])] : []),
  ]);
}
