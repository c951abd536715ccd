import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";

export interface IssuerView {
  id: string;
  name: string;
  kind: string;
  /** As it is stored: secrets are sealed in it. */
  config: unknown;
  enabled: boolean;
  certificateCount: number;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const shape: ListShape = {
  view: Prisma.sql`
    SELECT i.id, i.name, i.kind, i.config, i.enabled, i.created_at AS "createdAt", i.updated_at AS "updatedAt",
      i.archived_at AS "archivedAt",
      (SELECT count(*)::int FROM managed_certificates c WHERE c.issuer_id = i.id AND c.archived_at IS NULL)
        AS "certificateCount"
    FROM issuers i`,
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    name: { sql: Prisma.sql`name`, type: "text" },
    kind: { sql: Prisma.sql`kind`, type: "text" },
  },
  defaultSort: "-created_at",
};

export async function findIssuer(db: Database, id: string): Promise<IssuerView | null> {
  const [view] = await db.$queryRaw<IssuerView[]>`SELECT * FROM (${shape.view}) items WHERE id = ${id}`;
  return view ?? null;
}

export async function listIssuers(
  db: Database,
  request: ListRequest & { archived: boolean; q: string; kind: string; enabled?: boolean | undefined },
): Promise<ListedPage<IssuerView>> {
  return listPage<IssuerView>(db, shape, request, [
    Prisma.sql`("archivedAt" IS NOT NULL) = ${request.archived}`,
    ...(request.q ? [contains(request.q, [Prisma.sql`name`])] : []),
    ...(request.kind ? [Prisma.sql`kind = ${request.kind}`] : []),
    ...(request.enabled === undefined ? [] : [Prisma.sql`enabled = ${request.enabled}`]),
  ]);
}
