import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { allOf, type ListedPage, type ListRequest, type ListShape, listPage } from "../platform/listing.ts";
import { baseConditions, type CertificateFilter, computedConditions } from "./filter.ts";
import { atRiskFrom, currentVersion, expiringFrom, renewAt } from "./plan.ts";

/** A certificate with everything that is computed about it. */
export interface CertificateView {
  id: string;
  name: string;
  commonName: string;
  sans: string[];
  environment: string;
  ownerId: string | null;
  teamId: string | null;
  issuerId: string;
  renewalPolicyId: string;
  tags: Record<string, string>;
  agentId: string | null;
  targetIds: string[];
  keyAlgorithm: string;
  validitySeconds: number;
  status: string;
  schedule: string;
  serial: string | null;
  fingerprint: string | null;
  expiresAt: Date | null;
  renewAt: Date | null;
  activeJobId: string | null;
  lastError: string;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

/** The columns that a certificate has by itself. */
const ownColumns = Prisma.sql`
  c.id, c.name, c.common_name AS "commonName", c.sans, c.environment, c.owner_id AS "ownerId", c.team_id AS "teamId",
  c.issuer_id AS "issuerId", c.renewal_policy_id AS "renewalPolicyId", c.tags, c.agent_id AS "agentId",
  c.key_algorithm AS "keyAlgorithm", c.validity_seconds AS "validitySeconds", c.last_error AS "lastError",
  c.created_at AS "createdAt", c.updated_at AS "updatedAt", c.archived_at AS "archivedAt"`;

/**
 * Certificates with their status, computed from stored facts: one expression for output and filter alike. A certificate
 * whose keys several agents hold shows the version that ends first. `now` is business time.
 */
export function certificateViews(now: Date): Prisma.Sql {
  return Prisma.sql`
    SELECT ${ownColumns}, targets.ids AS "targetIds",
      CASE
        WHEN c.archived_at IS NOT NULL THEN 'Archived'
        WHEN open_job.id IS NOT NULL THEN 'RenewalInProgress'
        WHEN current.not_after > ${now} AND ${expiringFrom} <= ${now} THEN 'Expiring'
        WHEN current.not_after > ${now} THEN 'Active'
        WHEN c.last_error <> '' THEN 'Failed'
        WHEN current.not_after IS NOT NULL THEN 'Expired'
        ELSE 'Pending'
      END AS status,
      CASE
        WHEN c.archived_at IS NOT NULL OR current.not_after IS NULL THEN ''
        WHEN ${atRiskFrom} <= ${now} THEN 'AtRisk'
        WHEN ${renewAt} + interval '1 day' <= ${now} THEN 'Overdue'
        WHEN ${renewAt} <= ${now} THEN 'Due'
        ELSE 'OnPlan'
      END AS schedule,
      current.serial, current.fingerprint_sha256 AS fingerprint, current.not_after AS "expiresAt",
      ${renewAt} AS "renewAt", open_job.id AS "activeJobId"
    FROM managed_certificates c
    JOIN renewal_policies policy ON policy.id = c.renewal_policy_id
    LEFT JOIN LATERAL (
      SELECT coalesce(array_agg(m.target_id ORDER BY m.target_id), '{}') AS ids
      FROM certificate_target_mappings m WHERE m.certificate_id = c.id
    ) targets ON true
    LEFT JOIN LATERAL ${currentVersion} current ON true
    LEFT JOIN LATERAL (
      SELECT j.id FROM jobs j
      WHERE j.certificate_id = c.id AND j.type IN ('Issuance', 'Renewal')
        AND j.status IN ('Pending', 'AwaitingCSR', 'Running')
      ORDER BY j.created_at LIMIT 1
    ) open_job ON true`;
}

const endless = Prisma.sql`'infinity'::timestamptz`;

const columns: ListShape["columns"] = {
  created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
  name: { sql: Prisma.sql`name`, type: "text" },
  common_name: { sql: Prisma.sql`"commonName"`, type: "text" },
  expires_at: { sql: Prisma.sql`coalesce("expiresAt", ${endless})`, type: "timestamptz" },
  renew_at: { sql: Prisma.sql`coalesce("renewAt", ${endless})`, type: "timestamptz" },
  status: { sql: Prisma.sql`status`, type: "text" },
};

export async function findCertificate(
  db: Database | Transaction,
  grants: Grants,
  id: string,
  now: Date,
): Promise<CertificateView | null> {
  const [view] = await db.$queryRaw<CertificateView[]>`
    SELECT * FROM (${certificateViews(now)} WHERE c.id = ${id} AND ${grantedCertificate(grants, Prisma.sql`c.id`)}) views`;
  return view ?? null;
}

/** A page of certificates with the number of all that match. */
export async function listCertificates(
  db: Database,
  grants: Grants,
  request: ListRequest,
  filter: CertificateFilter,
  now: Date,
): Promise<ListedPage<CertificateView>> {
  const computed = computedConditions(filter);
  const light = Prisma.sql`SELECT ${ownColumns} FROM managed_certificates c`;
  const shape: ListShape = {
    view: certificateViews(now),
    ...(computed.length === 0 ? { countView: light } : {}),
    columns,
    defaultSort: "-created_at",
  };
  const granted = grantedCertificate(grants, Prisma.sql`items.id`);
  return listPage<CertificateView>(db, shape, request, [granted, ...baseConditions(filter), ...computed]);
}

/** The ids of all certificates that match within the grants, as a SELECT for set-based writes. */
export function matchingIds(grants: Grants, filter: CertificateFilter, now: Date): Prisma.Sql {
  const conditions = allOf([
    grantedCertificate(grants, Prisma.sql`items.id`),
    ...baseConditions(filter),
    ...computedConditions(filter),
  ]);
  return Prisma.sql`SELECT id FROM (${certificateViews(now)}) items WHERE ${conditions}`;
}
