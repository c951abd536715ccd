import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import type { ListedPage, ListRequest } from "../platform/listing.ts";
import { type NamedFilter, namedResource } from "../resources/named.ts";

export interface NotifierView {
  id: string;
  name: string;
  kind: string;
  /** As it is stored: secrets are sealed in it. */
  config: unknown;
  enabled: boolean;
  defaultRecipient: string;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const notifiers = namedResource<NotifierView>(
  Prisma.sql`
    SELECT n.id, n.name, n.kind, n.config, n.enabled, n.default_recipient AS "defaultRecipient",
      n.created_at AS "createdAt", n.updated_at AS "updatedAt", n.archived_at AS "archivedAt"
    FROM notifiers n`,
  { columns: { kind: { sql: Prisma.sql`kind`, type: "text" } } },
);
export const findNotifier = notifiers.find;

export function listNotifiers(
  db: Database,
  request: ListRequest & NamedFilter & { kind: string; enabled?: boolean | undefined },
): Promise<ListedPage<NotifierView>> {
  return notifiers.list(db, request, [
    ...(request.kind ? [Prisma.sql`kind = ${request.kind}`] : []),
    ...(request.enabled === undefined ? [] : [Prisma.sql`enabled = ${request.enabled}`]),
  ]);
}
