import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";

export interface NotifierView {
  id: string;
  name: string;
  kind: string;
  /** As it is stored: secrets are sealed in it. */
  config: unknown;
  enabled: boolean;
  defaultRecipient: string;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const shape: ListShape = {
  view: Prisma.sql`
    SELECT n.id, n.name, n.kind, n.config, n.enabled, n.default_recipient AS "defaultRecipient",
      n.created_at AS "createdAt", n.updated_at AS "updatedAt", n.archived_at AS "archivedAt"
    FROM notifiers n`,
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    name: { sql: Prisma.sql`name`, type: "text" },
    kind: { sql: Prisma.sql`kind`, type: "text" },
  },
  defaultSort: "-created_at",
};

export async function findNotifier(db: Database, id: string): Promise<NotifierView | null> {
  const [view] = await db.$queryRaw<NotifierView[]>`SELECT * FROM (${shape.view}) items WHERE id = ${id}`;
  return view ?? null;
}

export async function listNotifiers(
  db: Database,
  request: ListRequest & { archived: boolean; q: string; kind: string; enabled?: boolean | undefined },
): Promise<ListedPage<NotifierView>> {
  return listPage<NotifierView>(db, shape, request, [
    Prisma.sql`("archivedAt" IS NOT NULL) = ${request.archived}`,
    ...(request.q ? [contains(request.q, [Prisma.sql`name`])] : []),
    ...(request.kind ? [Prisma.sql`kind = ${request.kind}`] : []),
    ...(request.enabled === undefined ? [] : [Prisma.sql`enabled = ${request.enabled}`]),
  ]);
}
