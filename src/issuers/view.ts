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
  standbyIssuerId: string | null;
  standbyIssuerName: string | null;
  standbyAfter: number;
  canaryCertificateId: string | null;
  canaryEveryDays: number;
  /** When the standby last signed the canary. */
  canaryIssuedAt: Date | null;
  canaryProblem: string;
  certificateCount: number;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const issuers = namedResource<IssuerView>(
  Prisma.sql`
    SELECT i.id, i.name, i.kind, i.config, i.enabled, i.standby_issuer_id AS "standbyIssuerId",
      standby.name AS "standbyIssuerName", i.standby_after AS "standbyAfter",
      i.canary_certificate_id AS "canaryCertificateId", i.canary_every_days AS "canaryEveryDays",
      (SELECT max(v.created_at) FROM certificate_versions v
        WHERE v.certificate_id = canary.id AND v.issuer_id = standby.id) AS "canaryIssuedAt",
      CASE WHEN canary.id IS NULL THEN ''
        WHEN canary.archived_at IS NOT NULL THEN 'the canary is archived'
        WHEN canary.issuer_id <> standby.id THEN 'the canary is not signed by the standby any more'
        WHEN NOT standby.enabled THEN 'the standby is disabled'
        ELSE canary.last_error END AS "canaryProblem",
      i.created_at AS "createdAt", i.updated_at AS "updatedAt",
      i.archived_at AS "archivedAt",
      (SELECT count(*)::int FROM managed_certificates c WHERE c.issuer_id = i.id AND c.archived_at IS NULL)
        AS "certificateCount"
    FROM issuers i
    LEFT JOIN issuers standby ON standby.id = i.standby_issuer_id
    LEFT JOIN managed_certificates canary ON canary.id = i.canary_certificate_id`,
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
