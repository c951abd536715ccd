import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database, Transaction } from "../platform/database.ts";
import {
  allOf,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listIds,
  listPage,
} from "../platform/listing.ts";
import { type CertificateDetails, certificateDetails } from "./details.ts";
import { baseConditions, type CertificateFilter, computedConditions } from "./filter.ts";
import { atRiskFrom, expiringFrom, renewAt } from "./plan.ts";

/** A certificate as it is found by: what it has by itself, and what is computed from stored facts. */
interface CertificateRow {
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
  keyAlgorithm: string;
  validitySeconds: number;
  status: string;
  schedule: string;
  /** In how many days at most it ends; empty while nothing was issued. */
  expiry: string;
  serial: string | null;
  fingerprint: string | null;
  issuingCa: string | null;
  expiresAt: Date | null;
  renewAt: Date | null;
  /** Its CA said so, not the renewal policy. */
  renewsWhenCaWants: boolean;
  activeJobId: string | null;
  /** Why the current version is revoked; empty while it is not. */
  revocationReason: string;
  lastError: string;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

/** A certificate as it is shown. */
export type CertificateView = CertificateRow & CertificateDetails;

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
    SELECT ${ownColumns},
      CASE
        WHEN c.archived_at IS NOT NULL THEN 'Archived'
        WHEN open_job.id IS NOT NULL THEN 'RenewalInProgress'
        WHEN current.revoked_at IS NOT NULL THEN 'Revoked'
        WHEN current.not_after > ${now} AND ${expiringFrom} <= ${now} THEN 'Expiring'
        WHEN current.not_after > ${now} THEN 'Active'
        WHEN c.last_error <> '' THEN 'Failed'
        WHEN current.not_after IS NOT NULL THEN 'Expired'
        ELSE 'Pending'
      END AS status,
      CASE
        WHEN c.archived_at IS NOT NULL OR current.not_after IS NULL OR current.revoked_at IS NOT NULL THEN ''
        WHEN ${atRiskFrom} <= ${now} THEN 'AtRisk'
        WHEN ${renewAt} + interval '1 day' <= ${now} THEN 'Overdue'
        WHEN ${renewAt} <= ${now} THEN 'Due'
        ELSE 'OnPlan'
      END AS schedule,
      ${expiryBucket(now)} AS expiry,
      current.serial, current.fingerprint_sha256 AS fingerprint, current.issuing_ca_sha256 AS "issuingCa",
      current.not_after AS "expiresAt", coalesce(current.revocation_reason, '') AS "revocationReason", ${renewAt} AS "renewAt", current.ari_renew_at IS NOT NULL AS "renewsWhenCaWants", open_job.id AS "activeJobId"
    FROM managed_certificates c
    JOIN renewal_policies policy ON policy.id = c.renewal_policy_id
    LEFT JOIN current_versions current ON current.certificate_id = c.id
    LEFT JOIN (
      SELECT DISTINCT ON (j.certificate_id) j.certificate_id, j.id FROM jobs j
      WHERE j.type IN ('Issuance', 'Renewal') AND j.status IN ('Pending', 'AwaitingCSR', 'Running')
      ORDER BY j.certificate_id, j.created_at
    ) open_job ON open_job.certificate_id = c.id`;
}

/** In how many days at most the current version ends; empty where there is none. */
function expiryBucket(now: Date): Prisma.Sql {
  const within = (days: number) =>
    Prisma.sql`current.not_after <= ${new Date(now.getTime() + days * 86_400_000)}`;
  return Prisma.sql`CASE WHEN current.not_after IS NULL THEN '' WHEN ${within(0)} THEN 'expired'
    WHEN ${within(7)} THEN '7d' WHEN ${within(14)} THEN '14d' WHEN ${within(30)} THEN '30d'
    WHEN ${within(60)} THEN '60d' WHEN ${within(90)} THEN '90d' ELSE 'later' END`;
}

const endless = Prisma.sql`'infinity'::timestamptz`;

/** What needs a person comes first, and of the like what ends first. */
const attention = Prisma.sql`(least(
    CASE status WHEN 'Failed' THEN 0 WHEN 'Expired' THEN 0 WHEN 'Revoked' THEN 0 WHEN 'Expiring' THEN 3 WHEN 'Pending' THEN 6 ELSE 7 END,
    CASE schedule WHEN 'AtRisk' THEN 1 WHEN 'Overdue' THEN 2 WHEN 'Due' THEN 5 ELSE 7 END,
    CASE WHEN "lastError" <> '' THEN 4 ELSE 7 END
  ) * 100000000000 + coalesce(extract(epoch FROM "expiresAt")::bigint, 99999999999))`;

const columns: ListShape["columns"] = {
  created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
  name: { sql: Prisma.sql`name`, type: "text" },
  common_name: { sql: Prisma.sql`"commonName"`, type: "text" },
  expires_at: { sql: Prisma.sql`coalesce("expiresAt", ${endless})`, type: "timestamptz" },
  renew_at: { sql: Prisma.sql`coalesce("renewAt", ${endless})`, type: "timestamptz" },
  status: { sql: Prisma.sql`status`, type: "text" },
  attention: { sql: attention, type: "bigint" },
};

export async function findCertificate(
  db: Database | Transaction,
  grants: Grants,
  id: string,
  now: Date,
): Promise<CertificateView | null> {
  const [view] = await db.$queryRaw<CertificateView[]>`
    SELECT * FROM (${certificateViews(now)} WHERE c.id = ${id} AND ${grantedCertificate(grants, Prisma.sql`c.id`)}) page
    CROSS JOIN LATERAL (${certificateDetails}) details`;
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
  return listPage<CertificateView>(db, shapeOf(filter, now), request, conditionsOf(grants, filter));
}

const exportBatch = 500;

/** Every certificate that matches now, in order. Those that are archived or changed meanwhile are sent as they are then. */
export async function* allCertificateViews(
  db: Database,
  grants: Grants,
  sort: string,
  filter: CertificateFilter,
  clock: () => Date,
): AsyncGenerator<CertificateView> {
  const ids = await listIds(db, shapeOf(filter, clock()), sort, conditionsOf(grants, filter));
  for (let start = 0; start < ids.length; start += exportBatch) {
    yield* await db.$queryRaw<CertificateView[]>`
      SELECT * FROM (
        SELECT views.*, place FROM unnest(${ids.slice(start, start + exportBatch)}::text[]) WITH ORDINALITY wanted (id, place)
        JOIN (${certificateViews(clock())}) views USING (id)
      ) page CROSS JOIN LATERAL (${certificateDetails}) details ORDER BY place`;
  }
}

function shapeOf(filter: CertificateFilter, now: Date): ListShape {
  const light = Prisma.sql`SELECT ${ownColumns} FROM managed_certificates c`;
  return {
    view: certificateViews(now),
    ...(computedConditions(filter).length === 0 ? { countView: light } : {}),
    details: certificateDetails,
    columns,
    defaultSort: "-created_at",
  };
}

function conditionsOf(grants: Grants, filter: CertificateFilter): Prisma.Sql[] {
  return [
    grantedCertificate(grants, Prisma.sql`items.id`),
    ...baseConditions(filter),
    ...computedConditions(filter),
  ];
}

/** The ids of all certificates that match within the grants, as a SELECT for set-based writes. */
export function matchingIds(grants: Grants, filter: CertificateFilter, now: Date): Prisma.Sql {
  const conditions = allOf(conditionsOf(grants, filter));
  return Prisma.sql`SELECT id FROM (${certificateViews(now)}) items WHERE ${conditions}`;
}
