import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import type { ListedPage, ListRequest } from "../platform/listing.ts";
import { type NamedFilter, namedResource } from "../resources/named.ts";

export interface OwnerView {
  id: string;
  name: string;
  email: string;
  teamId: string;
  certificateCount: number;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const email = Prisma.sql`email`;

const owners = namedResource<OwnerView>(
  Prisma.sql`
    SELECT o.id, o.name, o.email, coalesce(o.team_id, '') AS "teamId", o.created_at AS "createdAt",
      o.updated_at AS "updatedAt", o.archived_at AS "archivedAt",
      (SELECT count(*)::int FROM managed_certificates c WHERE c.owner_id = o.id AND c.archived_at IS NULL)
        AS "certificateCount"
    FROM owners o`,
  { columns: { email: { sql: email, type: "text" } }, searched: [email] },
);
export const findOwner = owners.find;

export function listOwners(
  db: Database,
  request: ListRequest & NamedFilter & { teamId: string },
): Promise<ListedPage<OwnerView>> {
  return owners.list(db, request, request.teamId ? [Prisma.sql`"teamId" = ${request.teamId}`] : []);
}
