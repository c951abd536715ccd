import { Prisma } from "#gen/prisma/client.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import type { Grants } from "../auth/grants.ts";
import { type Database, isUniqueViolation, type Transaction } from "../platform/database.ts";
import { alreadyExists, conflict, notFound } from "../platform/errors.ts";
import { inUse } from "./in-use.ts";

/** A resource whose rows are archived instead of deleted: reads still answer it, lists leave it out, names become free. */
export interface Archivable {
  /** As errors and audit say it: "renewal_policy". */
  what: string;
  table: string;
  /** Throws when the row lies outside the caller's grants. */
  guard?(tx: Transaction, grants: Grants, id: string): Promise<void>;
}

/** Locks a row until the transaction ends. Throws NotFound. */
export async function lockRow(
  tx: Transaction,
  { grants }: Actor,
  { what, table, guard }: Archivable,
  id: string,
): Promise<{ archivedAt: Date | null }> {
  const [row] = await tx.$queryRaw<{ archivedAt: Date | null }[]>`
    SELECT archived_at AS "archivedAt" FROM ${Prisma.raw(table)} WHERE id = ${id} FOR UPDATE`;
  if (!row) throw notFound(spoken(what), id);
  await guard?.(tx, grants, id);
  return row;
}

/** Locks a row that is not archived. */
export async function lockLiveRow(
  tx: Transaction,
  actor: Actor,
  kind: Archivable,
  id: string,
): Promise<void> {
  const { archivedAt } = await lockRow(tx, actor, kind, id);
  if (archivedAt) throw conflict("ARCHIVED", `${spoken(kind.what)} ${id} is archived; restore it first`);
}

/**
 * Archives a row that nothing live depends on. `dependants` counts what does, by its name in the plural. Archiving again
 * changes nothing.
 */
export async function archiveRow(
  db: Database,
  actor: Actor,
  kind: Archivable,
  options: { id: string; now: Date; dependants?: (tx: Transaction) => Promise<Record<string, number>> },
): Promise<void> {
  await db.$transaction((tx) => archiveWithin(tx, actor, kind, options));
}

/** The same as part of a transaction. False: it was archived already. */
export async function archiveWithin(
  tx: Transaction,
  actor: Actor,
  kind: Archivable,
  options: { id: string; now: Date; dependants?: (tx: Transaction) => Promise<Record<string, number>> },
): Promise<boolean> {
  const { id, now, dependants } = options;
  const { archivedAt } = await lockRow(tx, actor, kind, id);
  if (archivedAt) return false;
  if (dependants) refuseInUse(kind, id, await dependants(tx));
  await tx.$executeRaw`UPDATE ${Prisma.raw(kind.table)} SET archived_at = ${now} WHERE id = ${id}`;
  await recordAudit(tx, actor, {
    action: `${kind.what}_archived`,
    resourceType: kind.what,
    resourceId: id,
  });
  return true;
}

/**
 * Brings an archived row back; its name must still be free, and what it refers to be live: `archivedReferences` names
 * what is not. Restoring a live one changes nothing.
 */
export async function restoreRow(
  db: Database,
  actor: Actor,
  kind: Archivable,
  id: string,
  archivedReferences?: (tx: Transaction) => Promise<string[]>,
): Promise<void> {
  try {
    await db.$transaction(async (tx) => {
      const { archivedAt } = await lockRow(tx, actor, kind, id);
      if (!archivedAt) return;
      const references = (await archivedReferences?.(tx)) ?? [];
      if (references.length > 0) {
        throw conflict(
          "REFERENCE_ARCHIVED",
          `${spoken(kind.what)} ${id} refers to what is archived; restore that first: ${references.join(", ")}`,
        );
      }
      await tx.$executeRaw`UPDATE ${Prisma.raw(kind.table)} SET archived_at = NULL WHERE id = ${id}`;
      await recordAudit(tx, actor, {
        action: `${kind.what}_restored`,
        resourceType: kind.what,
        resourceId: id,
      });
    });
  } catch (error) {
    if (isUniqueViolation(error, "live_name")) {
      throw conflict(
        "NAME_TAKEN",
        `another ${spoken(kind.what)} has taken the name of ${id} since; rename that one first`,
      );
    }
    throw error;
  }
}

/** What a refused INSERT or UPDATE means to the caller. */
export function writeRefusal(
  error: unknown,
  { what }: Archivable,
  row: { id: string; name: string },
): unknown {
  if (isUniqueViolation(error, "live_name")) {
    return conflict("NAME_TAKEN", `a ${spoken(what)} named "${row.name}" exists already`, [
      { field: "name", description: `must be unique among what is not archived` },
    ]);
  }
  return isUniqueViolation(error) ? alreadyExists(spoken(what), row.id) : error;
}

function refuseInUse({ what }: Archivable, id: string, counts: Record<string, number>): void {
  if (Object.values(counts).some((count) => count > 0)) throw inUse(`${spoken(what)} ${id}`, counts);
}

const spoken = (what: string) => what.replaceAll("_", " ");
