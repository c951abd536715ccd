import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { type Archivable, archiveRow, lockLiveRow, writeRefusal } from "../resources/archive.ts";

export const teamKind: Archivable = { what: "team", table: "teams" };

export interface TeamWish {
  id: string;
  name: string;
  description: string;
  email: string;
}

export async function createTeam(db: Database, actor: Actor, wanted: TeamWish): Promise<string> {
  const { name, description, email } = wanted;
  const id = wanted.id || newId("t");
  try {
    await db.$transaction(async (tx) => {
      await tx.team.create({ data: { id, name, description, email } });
      const details = { name, description, email };
      await recordAudit(tx, actor, { action: "team_created", resourceType: "team", resourceId: id, details });
    });
  } catch (error) {
    throw writeRefusal(error, teamKind, { id, name });
  }
  return id;
}

export async function updateTeam(db: Database, actor: Actor, wanted: TeamWish): Promise<void> {
  const { id, name, description, email } = wanted;
  try {
    await db.$transaction(async (tx) => {
      await lockLiveRow(tx, actor, teamKind, id);
      const data = { name, description, email };
      await recordChange(tx, actor, { ...teamKind, id }, () => tx.team.update({ where: { id }, data }));
    });
  } catch (error) {
    throw writeRefusal(error, teamKind, wanted);
  }
}

/** Archives a team without live owners and certificates: a team never takes anything with it. */
export async function archiveTeam(db: Database, actor: Actor, id: string, now: Date): Promise<void> {
  await archiveRow(db, actor, teamKind, {
    id,
    now,
    dependants: async (tx) => ({
      owners: await tx.owner.count({ where: { teamId: id, archivedAt: null } }),
      certificates: await tx.managedCertificate.count({ where: { teamId: id, archivedAt: null } }),
    }),
  });
}
