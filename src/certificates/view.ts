import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database, Transaction } from "../platform/database.ts";

/** A certificate with everything that is computed about it. */
export interface CertificateView {
  id: string;
  name: string;
  commonName: string;
  sans: string[];
  issuerId: string;
  agentId: string | null;
  targetIds: string[];
  keyAlgorithm: string;
  validitySeconds: number;
  status: string;
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

/**
 * Certificates with their status, computed from stored facts: one expression for output and filter alike. A certificate
 * whose keys several agents hold shows the version that ends first. `now` is business time.
 */
function certificateViews(now: Date): Prisma.Sql {
  return Prisma.sql`
    SELECT c.id, c.name, c.common_name AS "commonName", c.sans, c.issuer_id AS "issuerId", c.agent_id AS "agentId",
      targets.ids AS "targetIds", c.key_algorithm AS "keyAlgorithm", c.validity_seconds AS "validitySeconds",
      CASE
        WHEN c.archived_at IS NOT NULL THEN 'Archived'
        WHEN open_job.id IS NOT NULL THEN 'RenewalInProgress'
        WHEN current.not_after > ${now} AND current.renew_at + interval '1 day' <= ${now} THEN 'Expiring'
        WHEN current.not_after > ${now} THEN 'Active'
        WHEN c.last_error <> '' THEN 'Failed'
        WHEN current.not_after IS NOT NULL THEN 'Expired'
        ELSE 'Pending'
      END AS status,
      current.serial, current.fingerprint_sha256 AS fingerprint, current.not_after AS "expiresAt",
      current.renew_at AS "renewAt", open_job.id AS "activeJobId", c.last_error AS "lastError",
      c.created_at AS "createdAt", c.updated_at AS "updatedAt", c.archived_at AS "archivedAt"
    FROM managed_certificates c
    LEFT JOIN LATERAL (
      SELECT coalesce(array_agg(m.target_id ORDER BY m.target_id), '{}') AS ids,
        coalesce(array_agg(DISTINCT t.agent_id), '{}') AS agents
      FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
      WHERE m.certificate_id = c.id
    ) targets ON true
    LEFT JOIN LATERAL (
      SELECT newest.* FROM (
        SELECT DISTINCT ON (v.agent_id) v.* FROM certificate_versions v WHERE v.certificate_id = c.id
        ORDER BY v.agent_id, v.created_at DESC
      ) newest
      ORDER BY coalesce(newest.agent_id = ANY(targets.agents) OR newest.agent_id = c.agent_id, false) DESC, newest.not_after
      LIMIT 1
    ) current ON true
    LEFT JOIN LATERAL (
      SELECT j.id FROM jobs j
      WHERE j.certificate_id = c.id AND j.type IN ('Issuance', 'Renewal')
        AND j.status IN ('Pending', 'AwaitingCSR', 'Running')
      ORDER BY j.created_at LIMIT 1
    ) open_job ON true`;
}

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

/** A page of certificates, newest first, with the number of all that match. Archived ones only if asked for. */
export async function listCertificates(
  db: Database,
  grants: Grants,
  filter: { statuses: readonly string[]; skip: number; take: number; now: Date },
): Promise<{ total: number; rows: CertificateView[] }> {
  const { statuses, skip, take, now } = filter;
  const wanted =
    statuses.length === 0
      ? Prisma.sql`status <> 'Archived'`
      : Prisma.sql`status = ANY(${[...statuses]}::text[])`;
  const matches = Prisma.sql`${wanted} AND ${grantedCertificate(grants, Prisma.sql`views.id`)}`;
  const [count, rows] = await Promise.all([
    db.$queryRaw<[{ total: bigint }]>`
      SELECT count(*) AS total FROM (${certificateViews(now)}) views WHERE ${matches}`,
    db.$queryRaw<CertificateView[]>`
      SELECT * FROM (${certificateViews(now)}) views WHERE ${matches}
      ORDER BY "createdAt" DESC, id LIMIT ${take} OFFSET ${skip}`,
  ]);
  return { total: Number(count[0].total), rows };
}
