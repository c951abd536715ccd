import { Prisma } from "#gen/prisma/client.ts";
import { recordAudit, system } from "../audit/record.ts";
import type { Database, Transaction } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";
import {
  type Held,
  keyCheckColumn,
  keyIdsIn,
  resealed,
  type SealedColumn,
  sealedColumns,
} from "./columns.ts";

/** Rows that are locked and rewritten at a time. */
const batchRows = 100;

/** What a rotation did: how many values it took to the new key, by table. */
export type Rotation = Readonly<Record<string, number>>;

/**
 * Takes every sealed value to the sealer's own wrapping key, a few rows at a time, and then the value by which a start knows
 * its key. Whatever it is broken off at, each value opens with one of the two keys; run again, it goes on. Throws SealError
 * for a value that none of the sealer's keys opens.
 */
export async function rotateSealed(db: Database, sealer: Sealer): Promise<Rotation> {
  const counts: Record<string, number> = {};
  for (const column of sealedColumns) {
    for (let after = ""; ; ) {
      const batch = await db.$transaction((tx) => resealBatch(tx, sealer, column, after), {
        timeout: 60_000,
      });
      if (batch.count > 0) counts[column.table] = (counts[column.table] ?? 0) + batch.count;
      if (batch.lastId === null) break;
      after = batch.lastId;
    }
  }
  await db.$transaction(async (tx) => {
    const { count } = await resealBatch(tx, sealer, keyCheckColumn, "");
    if (count === 0 && Object.keys(counts).length === 0) return;
    await recordAudit(tx, system, {
      action: "wrapping_key_rotated",
      resourceType: "installation",
      resourceId: "1",
      details: { key_id: sealer.keyId, values: counts },
    });
  });
  return counts;
}

/** The ids of wrapping keys that sealed anything in the database, with where that is. */
export async function wrappingKeysInUse(db: Database): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const column of [...sealedColumns, keyCheckColumn]) {
    for (let after = ""; ; ) {
      const rows = await readBatch(db, column, after, Prisma.empty);
      for (const { id, held } of rows) {
        for (const keyId of keyIdsIn(column, held))
          found.set(keyId, [...(found.get(keyId) ?? []), `${column.table} ${id}`]);
      }
      const last = rows.at(-1);
      if (!last || rows.length < batchRows) break;
      after = last.id;
    }
  }
  return found;
}

async function resealBatch(
  tx: Transaction,
  sealer: Sealer,
  column: SealedColumn,
  after: string,
): Promise<{ count: number; lastId: string | null }> {
  const rows = await readBatch(tx, column, after, Prisma.sql`FOR UPDATE`);
  let count = 0;
  for (const { id, held } of rows) {
    if (keyIdsIn(column, held).every((keyId) => keyId === sealer.keyId)) continue;
    const next = resealed(sealer, column, id, held);
    const value =
      column.form === "config"
        ? Prisma.sql`${JSON.stringify(next)}::jsonb`
        : Prisma.sql`${new Uint8Array(next as Uint8Array)}`;
    await tx.$executeRaw`
      UPDATE ${Prisma.raw(column.table)} SET ${Prisma.raw(column.column)} = ${value} WHERE id::text = ${id}`;
    count += 1;
  }
  return { count, lastId: rows.length < batchRows ? null : (rows.at(-1)?.id ?? null) };
}

async function readBatch(
  db: Database | Transaction,
  { table, column }: SealedColumn,
  after: string,
  lock: Prisma.Sql,
): Promise<{ id: string; held: Held }[]> {
  return db.$queryRaw<{ id: string; held: Held }[]>`
    SELECT id::text AS id, ${Prisma.raw(column)} AS held FROM ${Prisma.raw(table)}
    WHERE ${Prisma.raw(column)} IS NOT NULL AND id::text > ${after} ORDER BY id::text LIMIT ${batchRows} ${lock}`;
}
