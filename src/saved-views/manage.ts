import type { JsonObject } from "@bufbuild/protobuf";
import { Prisma } from "#gen/prisma/client.ts";
import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { denied, notFound } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { type Archivable, archiveRow, lockLiveRow, restoreRow, writeRefusal } from "../resources/archive.ts";

export interface SavedViewWish {
  id: string;
  name: string;
  resource: string;
  query: string;
  filter: JsonObject | null;
  shared: boolean;
  pinned: boolean;
  isDefault: boolean;
}

/** Who acts, and whether it may share views and change shared ones. */
export interface Keeper {
  actor: Actor;
  mayShare: boolean;
}

export async function createSavedView(db: Database, keeper: Keeper, wanted: SavedViewWish): Promise<string> {
  const { actor } = keeper;
  const id = wanted.id || newId("vw");
  if (wanted.shared) requireSharing(keeper);
  const data = { ...wanted, id, filter: wanted.filter ?? Prisma.DbNull, ownerKeyId: actor.id };
  try {
    await db.$transaction(async (tx) => {
      await tx.savedView.create({ data });
      await takeDefault(tx, { ...wanted, id, ownerKeyId: actor.id });
      const { name, resource, query, shared } = wanted;
      const details = { name, resource, query, shared };
      await recordAudit(tx, actor, {
        action: "saved_view_created",
        resourceType: "saved_view",
        resourceId: id,
        details,
      });
    });
  } catch (error) {
    throw writeRefusal(error, kindFor(keeper), { id, name: wanted.name });
  }
  return id;
}

export async function updateSavedView(db: Database, keeper: Keeper, wanted: SavedViewWish): Promise<void> {
  const { id, ...fields } = wanted;
  const { actor } = keeper;
  const kind = kindFor(keeper);
  if (wanted.shared) requireSharing(keeper);
  const data = { ...fields, filter: wanted.filter ?? Prisma.DbNull };
  try {
    await db.$transaction(async (tx) => {
      await lockLiveRow(tx, actor, kind, id);
      await recordChange(tx, actor, { ...kind, id }, async () => {
        const { ownerKeyId } = await tx.savedView.update({ where: { id }, data });
        await takeDefault(tx, { ...wanted, ownerKeyId });
      });
    });
  } catch (error) {
    throw writeRefusal(error, kind, wanted);
  }
}

export async function archiveSavedView(db: Database, keeper: Keeper, id: string, now: Date): Promise<void> {
  await archiveRow(db, keeper.actor, kindFor(keeper), { id, now });
}

export async function restoreSavedView(db: Database, keeper: Keeper, id: string): Promise<void> {
  await restoreRow(db, keeper.actor, kindFor(keeper), id);
}

/** Views as this caller may change them: its own, and shared ones where it may share. */
function kindFor(keeper: Keeper): Archivable {
  return {
    what: "saved_view",
    table: "saved_views",
    async guard(tx, _, id) {
      const view = await tx.savedView.findUniqueOrThrow({ where: { id } });
      if (view.shared) requireSharing(keeper);
      else if (view.ownerKeyId !== keeper.actor.id) throw notFound("saved view", id);
    },
  };
}

function requireSharing({ mayShare }: Keeper): void {
  if (!mayShare)
    throw denied("sharing views, and changing shared ones, needs the permission saved-views:share");
}

/** A list opens with one view: the others of the same people are no default any more. */
async function takeDefault(
  tx: Transaction,
  { id, resource, shared, isDefault, ownerKeyId }: SavedViewWish & { ownerKeyId: string },
): Promise<void> {
  if (!isDefault) return;
  const others = shared ? { shared } : { shared, ownerKeyId };
  await tx.savedView.updateMany({
    where: { ...others, resource, isDefault: true, id: { not: id } },
    data: { isDefault: false },
  });
}
