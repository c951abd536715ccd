import { Prisma } from "#gen/prisma/client.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { type ListedPage, type ListRequest, listPage } from "../platform/listing.ts";
import type { SignedCheckpoint } from "./evidence.ts";

const view = Prisma.sql`
  SELECT c.seq::text AS id, c.seq, c.count, c.root, c.prev_hash AS "prevHash", c.hash, c.time, c.key_id AS "keyId",
    c.signature
  FROM audit_checkpoints c`;

export async function listCheckpoints(
  db: Database,
  request: ListRequest,
): Promise<ListedPage<SignedCheckpoint & { id: string }>> {
  const columns = { seq: { sql: Prisma.sql`seq`, type: "bigint" } } as const;
  const page = await listPage<SignedCheckpoint & { id: string }>(
    db,
    { view, columns, defaultSort: "seq" },
    request,
  );
  return { ...page, rows: page.rows.map((row) => ({ ...withBuffers(row), id: row.id })) };
}

export async function newestCheckpoint(db: Database): Promise<SignedCheckpoint | null> {
  const [row] = await db.$queryRaw<SignedCheckpoint[]>`${view} ORDER BY c.seq DESC LIMIT 1`;
  return row ? withBuffers(row) : null;
}

const pageRows = 500;

/** Every checkpoint, oldest first. */
export async function* allCheckpoints(db: Database | Transaction): AsyncGenerator<SignedCheckpoint> {
  for (let after = 0n; ; ) {
    const rows = await db.$queryRaw<SignedCheckpoint[]>`
      ${view} WHERE c.seq > ${after} ORDER BY c.seq LIMIT ${pageRows}`;
    for (const row of rows) yield withBuffers(row);
    const last = rows.at(-1);
    if (!last || rows.length < pageRows) return;
    after = last.seq;
  }
}

function withBuffers(row: SignedCheckpoint): SignedCheckpoint {
  return {
    seq: row.seq,
    count: row.count,
    root: Buffer.from(row.root),
    prevHash: Buffer.from(row.prevHash),
    time: row.time,
    keyId: row.keyId,
    hash: Buffer.from(row.hash),
    signature: Buffer.from(row.signature),
  };
}
