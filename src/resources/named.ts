import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
  type SortColumn,
} from "../platform/listing.ts";

/** What every list of a resource that has a name and is archived can be filtered by. */
export interface NamedFilter {
  /** Archived ones instead of live ones. */
  archived: boolean;
  /** Part of the name, in any case; empty for all. */
  q: string;
}

/** Reads of one resource. */
export interface NamedResource<Row> {
  /** An archived one is found, too. */
  find(db: Database, id: string): Promise<Row | null>;
  list(
    db: Database,
    request: ListRequest & NamedFilter,
    conditions?: readonly Prisma.Sql[],
  ): Promise<ListedPage<Row>>;
}

/** The reads of a resource whose view selects id, name, createdAt and archivedAt, beside its own columns. */
export function namedResource<Row extends { id: string }>(
  view: Prisma.Sql,
  own: { columns?: Record<string, SortColumn>; searched?: readonly Prisma.Sql[] } = {},
): NamedResource<Row> {
  const shape: ListShape = {
    view,
    columns: {
      created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
      name: { sql: Prisma.sql`name`, type: "text" },
      ...own.columns,
    },
    defaultSort: "-created_at",
  };
  const searched = [Prisma.sql`name`, ...(own.searched ?? [])];
  return {
    async find(db, id) {
      const [row] = await db.$queryRaw<Row[]>`SELECT * FROM (${view}) items WHERE id = ${id}`;
      return row ?? null;
    },
    list: (db, request, conditions = []) =>
      listPage<Row>(db, shape, request, [
        Prisma.sql`("archivedAt" IS NOT NULL) = ${request.archived}`,
        ...(request.q ? [contains(request.q, searched)] : []),
        ...conditions,
      ]),
  };
}
