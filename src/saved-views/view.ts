import type { JsonObject } from "@bufbuild/protobuf";
import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import type { ListedPage, ListRequest } from "../platform/listing.ts";
import { type NamedFilter, namedResource } from "../resources/named.ts";

export interface SavedView {
  id: string;
  name: string;
  resource: string;
  query: string;
  filter: JsonObject | null;
  ownerKeyId: string;
  shared: boolean;
  pinned: boolean;
  isDefault: boolean;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const views = namedResource<SavedView>(Prisma.sql`
  SELECT v.id, v.name, v.resource, v.query, v.filter, v.owner_key_id AS "ownerKeyId", v.shared, v.pinned,
    v.is_default AS "isDefault", v.created_at AS "createdAt", v.updated_at AS "updatedAt", v.archived_at AS "archivedAt"
  FROM saved_views v`);

/** A view that this key sees: its own, or a shared one. */
export async function findSavedView(db: Database, keyId: string, id: string): Promise<SavedView | null> {
  const view = await views.find(db, id);
  return view && (view.shared || view.ownerKeyId === keyId) ? view : null;
}

export async function listSavedViews(
  db: Database,
  keyId: string,
  request: ListRequest & NamedFilter,
  { resources, pinned }: { resources: readonly string[]; pinned: boolean | undefined },
): Promise<ListedPage<SavedView>> {
  return views.list(db, request, [
    Prisma.sql`(shared OR "ownerKeyId" = ${keyId})`,
    ...(resources.length > 0 ? [Prisma.sql`resource = ANY(${[...resources]}::text[])`] : []),
    ...(pinned === undefined ? [] : [Prisma.sql`pinned = ${pinned}`]),
  ]);
}
