import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";

export interface OwnerView {
  id: string;
  name: string;
  email: string;
  teamId: string;
  certificateCount: number;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const shape: ListShape = {
  view: Prisma.sql`
    SELECT o.id, o.name, o.email, coalesce(o.team_id, '') AS "teamId", o.created_at AS "createdAt",
      o.updated_at AS "updatedAt", o.archived_at AS "archivedAt",
      (SELECT count(*)::int FROM managed_certificates c WHERE c.owner_id = o.id AND c.archived_at IS NULL)
        AS "certificateCount"
    FROM owners o`,
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    name: { sql: Prisma.sql`name`, type: "text" },
    email: { sql: Prisma.sql`email`, type: "text" },
  },
  defaultSort: "-created_at",
};

export async function findOwner(db: Database, id: string): Promise<OwnerView | null> {
  const [view] = await db.$queryRaw<OwnerView[]>`SELECT * FROM (${shape.view}) items WHERE id = ${id}`;
  return view ?? null;
}

export async function listOwners(
  db: Database,
  request: ListRequest & { archived: boolean; q: string; teamId: string },
): Promise<ListedPage<OwnerView>> {
  return listPage<OwnerView>(db, shape, request, [
    Prisma.sql`("archivedAt" IS NOT NULL) = ${request.archived}`,
    ...(request.q ? [contains(request.q, [Prisma.sql`name`, Prisma.sql`email`])] : []),
    ...(request.teamId ? [Prisma.sql`"teamId" = ${request.teamId}`] : []),
  ]);
}
