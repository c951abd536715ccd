import { Prisma } from "#gen/prisma/client.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { type ListedPage, type ListRequest, type ListShape, listPage } from "../platform/listing.ts";
import type { NumberedRow } from "./evidence.ts";

export interface AuditFilter {
  actor: string;
  /** Empty: all. */
  actorTypes: readonly string[];
  actions: readonly string[];
  resourceType: string;
  resourceId: string;
  requestId: string;
  from: Date | null;
  to: Date | null;
}

const auditViews = Prisma.sql`
  SELECT e.id, e.at, e.actor, e.actor_type AS "actorType", e.action, e.resource_type AS "resourceType",
    e.resource_id AS "resourceId", e.request_id AS "requestId", e.details, s.seq, s.hash,
    e.epoch, e.xid, e.position
  FROM audit_events e LEFT JOIN audit_seals s ON s.event_id = e.id`;

const shape: ListShape = {
  view: auditViews,
  columns: {
    timestamp: { sql: Prisma.sql`at`, type: "timestamptz" },
    actor: { sql: Prisma.sql`actor`, type: "text" },
    action: { sql: Prisma.sql`action`, type: "text" },
    resource_id: { sql: Prisma.sql`"resourceId"`, type: "text" },
  },
  defaultSort: "-timestamp",
};

function conditionsOf(filter: AuditFilter): Prisma.Sql[] {
  const { actor, actorTypes, actions, resourceType, resourceId, requestId, from, to } = filter;
  return [
    ...(actor ? [Prisma.sql`actor = ${actor}`] : []),
    ...(actorTypes.length > 0 ? [Prisma.sql`"actorType" = ANY(${[...actorTypes]}::text[])`] : []),
    ...(actions.length > 0 ? [Prisma.sql`action = ANY(${[...actions]}::text[])`] : []),
    ...(resourceType ? [Prisma.sql`"resourceType" = ${resourceType}`] : []),
    ...(resourceId ? [Prisma.sql`"resourceId" = ${resourceId}`] : []),
    ...(requestId ? [Prisma.sql`"requestId" = ${requestId}`] : []),
    ...(from ? [Prisma.sql`at >= ${from}`] : []),
    ...(to ? [Prisma.sql`at < ${to}`] : []),
  ];
}

export async function listAuditEvents(
  db: Database,
  request: ListRequest,
  filter: AuditFilter,
): Promise<ListedPage<NumberedRow>> {
  return listPage<NumberedRow>(db, shape, request, conditionsOf(filter));
}

export async function findAuditEvent(db: Database, id: string): Promise<NumberedRow | null> {
  const [view] = await db.$queryRaw<NumberedRow[]>`SELECT * FROM (${auditViews}) items WHERE id = ${id}`;
  return view ?? null;
}

/** How many rows are in memory at a time. */
const pageRows = 1_000;

/**
 * Every row that matches, in the order of sealing. Rows that are sealed while it runs are shown without their numbers: a
 * number is only shown where all before it are there. Holds no transaction open between pages: a slow reader would keep
 * others from being sealed.
 */
export async function* allAuditEvents(
  db: Database | Transaction,
  filter: AuditFilter | null,
): AsyncGenerator<NumberedRow> {
  const conditions = filter ? conditionsOf(filter) : [];
  const [bound] = await db.$queryRaw<[{ sealed: bigint | null }]>`SELECT max(seq) AS sealed FROM audit_seals`;
  const { sealed } = bound;
  // By ranges of numbers, which are without gaps: a LIMIT would read the rest of the table for each page until the
  // database has statistics about it.
  const last = sealed ?? 0n;
  for (let after = 0n; after < last; after += BigInt(pageRows)) {
    const upTo = after + BigInt(pageRows);
    const range = Prisma.sql`seq > ${after} AND seq <= ${upTo < last ? upTo : last}`;
    yield* await page(db, [range, ...conditions], Prisma.sql`seq`);
  }
  const isBehind = Prisma.sql`(seq IS NULL OR seq > ${last})`;
  for (let after: Placed | undefined; ; ) {
    const beyond = after
      ? Prisma.sql`(epoch, xid, position) > (${after.epoch}, ${after.xid}, ${after.position})`
      : Prisma.sql`true`;
    const rows = await page(db, [isBehind, beyond, ...conditions], Prisma.sql`epoch, xid, position`);
    for (const row of rows) yield { ...row, seq: null, hash: null };
    after = rows.at(-1);
    if (rows.length < pageRows) return;
  }
}

type Placed = NumberedRow & { epoch: number; xid: bigint; position: bigint };

async function page(
  db: Database | Transaction,
  conditions: Prisma.Sql[],
  order: Prisma.Sql,
): Promise<Placed[]> {
  return db.$queryRaw<Placed[]>`
    SELECT * FROM (${auditViews}) items WHERE ${Prisma.join(conditions, " AND ")} ORDER BY ${order} LIMIT ${pageRows}`;
}
