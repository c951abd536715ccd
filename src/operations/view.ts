import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import { type ListedPage, type ListRequest, type ListShape, listPage } from "../platform/listing.ts";

export interface OperationView {
  id: string;
  kind: string;
  status: string;
  filter: object;
  changes: Record<string, string>;
  reason: string;
  total: number;
  done: number;
  skipped: number;
  failed: number;
  createdBy: string;
  createdAt: Date;
  approvedBy: string | null;
  approvedAt: Date | null;
  finishedAt: Date | null;
}

export interface OperationItemView {
  id: string;
  certificateName: string;
  status: string;
  message: string;
  jobIds: string[];
}

const shape: ListShape = {
  view: Prisma.sql`
    SELECT o.id, o.kind, o.status, o.filter, o.changes, o.reason, o.created_by AS "createdBy",
      o.created_at AS "createdAt", o.approved_by AS "approvedBy", o.approved_at AS "approvedAt",
      o.finished_at AS "finishedAt", items.total, items.done, items.skipped, items.failed
    FROM operations o
    LEFT JOIN LATERAL (
      SELECT count(*)::int AS total, count(*) FILTER (WHERE i.status = 'Done')::int AS done,
        count(*) FILTER (WHERE i.status = 'Skipped')::int AS skipped,
        count(*) FILTER (WHERE i.status = 'Failed')::int AS failed
      FROM operation_items i WHERE i.operation_id = o.id
    ) items ON true`,
  columns: { created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" } },
  defaultSort: "-created_at",
};

export async function findOperation(db: Database, id: string): Promise<OperationView | null> {
  const [view] = await db.$queryRaw<OperationView[]>`SELECT * FROM (${shape.view}) items WHERE id = ${id}`;
  return view ?? null;
}

export async function listOperations(
  db: Database,
  request: ListRequest,
  { statuses, kinds }: { statuses: readonly string[]; kinds: readonly string[] },
): Promise<ListedPage<OperationView>> {
  return listPage<OperationView>(db, shape, request, [
    ...(statuses.length > 0 ? [Prisma.sql`status = ANY(${[...statuses]}::text[])`] : []),
    ...(kinds.length > 0 ? [Prisma.sql`kind = ANY(${[...kinds]}::text[])`] : []),
  ]);
}

/** The certificates of an operation, by name; an item's id is its certificate's. */
export async function listItems(
  db: Database,
  operationId: string,
  request: ListRequest,
  statuses: readonly string[],
): Promise<ListedPage<OperationItemView>> {
  const items: ListShape = {
    view: Prisma.sql`
      SELECT i.certificate_id AS id, c.name AS "certificateName", i.status, i.message, i.job_ids AS "jobIds"
      FROM operation_items i JOIN managed_certificates c ON c.id = i.certificate_id
      WHERE i.operation_id = ${operationId}`,
    columns: { certificate_name: { sql: Prisma.sql`"certificateName"`, type: "text" } },
    defaultSort: "certificate_name",
  };
  return listPage<OperationItemView>(db, items, request, [
    ...(statuses.length > 0 ? [Prisma.sql`status = ANY(${[...statuses]}::text[])`] : []),
  ]);
}
