import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import type { ListedPage, ListRequest } from "../platform/listing.ts";
import { type NamedFilter, namedResource } from "../resources/named.ts";

export interface IssuerView {
  id: string;
  name: string;
  kind: string;
  /** As it is stored: secrets are sealed in it. */
  config: unknown;
  enabled: boolean;
  certificateCount: number;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const issuers = namedResource<IssuerView>(
  Prisma.sql`
    SELECT i.id, i.name, i.kind, i.config, i.enabled, i.created_at AS "createdAt", i.updated_at AS "updatedAt",
      i.archived_at AS "archivedAt",
      (SELECT count(*)::int FROM managed_certificates c WHERE c.issuer_id = i.id AND c.archived_at IS NULL)
        AS "certificateCount"
    FROM issuers i`,
  { columns: { kind: { sql: Prisma.sql`kind`, type: "text" } } },
);
export const findIssuer = issuers.find;

export function listIssuers(
  db: Database,
  request: ListRequest & NamedFilter & { kind: string; enabled?: boolean | undefined },
): Promise<ListedPage<IssuerView>> {
  return issuers.list(db, request, [
    ...(request.kind ? [Prisma.sql`kind = ${request.kind}`] : []),
    ...(request.enabled === undefined ? [] : [Prisma.sql`enabled = ${request.enabled}`]),
  ]);
}
