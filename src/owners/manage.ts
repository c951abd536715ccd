import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { type Archivable, archiveRow, lockLiveRow, restoreRow, writeRefusal } from "../resources/archive.ts";

const ownerKind: Archivable = { what: "owner", table: "owners" };

export interface OwnerWish {
  id: string;
  name: string;
  email: string;
  teamId: string;
}

export async function createOwner(db: Database, actor: Actor, wanted: OwnerWish): Promise<string> {
  const id = wanted.id || newId("o");
  try {
    await db.$transaction(async (tx) => {
      const data = await check(tx, wanted);
      await tx.owner.create({ data: { id, ...data } });
      await audit(tx, actor, "owner_created", id, data);
    });
  } catch (error) {
    throw writeRefusal(error, ownerKind, { id, name: wanted.name });
  }
  return id;
}

export async function updateOwner(db: Database, actor: Actor, wanted: OwnerWish): Promise<void> {
  const { id } = wanted;
  try {
    await db.$transaction(async (tx) => {
      await lockLiveRow(tx, actor, ownerKind, id);
      const data = await check(tx, wanted);
      await recordChange(tx, actor, { ...ownerKind, id }, () => tx.owner.update({ where: { id }, data }));
    });
  } catch (error) {
    throw writeRefusal(error, ownerKind, wanted);
  }
}

/** Archives an owner without live certificates. */
export async function archiveOwner(db: Database, actor: Actor, id: string, now: Date): Promise<void> {
  await archiveRow(db, actor, ownerKind, {
    id,
    now,
    dependants: async (tx) => ({
      certificates: await tx.managedCertificate.count({ where: { ownerId: id, archivedAt: null } }),
    }),
  });
}

export async function restoreOwner(db: Database, actor: Actor, id: string): Promise<void> {
  await restoreRow(db, actor, ownerKind, id, async (tx) => {
    const archived = await tx.$queryRaw<{ id: string }[]>`
      WITH team AS (
        SELECT t.id, t.archived_at FROM teams t JOIN owners o ON o.team_id = t.id AND o.id = ${id} FOR KEY SHARE OF t
      )
      SELECT id FROM team WHERE archived_at IS NOT NULL`;
    return archived.map((team) => team.id);
  });
}

async function check(tx: Transaction, { name, email, teamId }: OwnerWish) {
  if (teamId !== "") {
    // Shared with a transaction that archives the team: one of the two waits and then sees the other.
    const live = await tx.$queryRaw<unknown[]>`
      SELECT 1 FROM teams WHERE id = ${teamId} AND archived_at IS NULL FOR SHARE`;
    if (live.length === 0) throw invalid({ field: "team_id", description: `team ${teamId} does not exist` });
  }
  return { name, email, teamId: teamId || null };
}

async function audit(
  tx: Transaction,
  actor: Actor,
  action: string,
  id: string,
  { teamId, ...data }: { name: string; email: string; teamId: string | null },
): Promise<void> {
  const details = { ...data, team_id: teamId };
  await recordAudit(tx, actor, { action, resourceType: "owner", resourceId: id, details });
}
