import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database, Transaction } from "../platform/database.ts";

/** What several jobs failed for. */
export interface Cause {
  id: string;
  type: string;
  failureClass: string;
  step: string;
  message: string;
  issuerId: string;
  targetKind: string;
  jobs: number;
  retryable: number;
  certificates: number;
  agents: number;
  firstAt: Date;
  lastAt: Date;
  sampleJobIds: string[];
  sampleMessage: string;
}

const mostCauses = 200;

/** A message without what differs from job to job: times, ids, hashes, numbers. */
const alike = Prisma.sql`
  regexp_replace(regexp_replace(regexp_replace(
    j.error_message, '\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z?', '…', 'g'),
    '\\y([a-z]{2,5}-[a-z0-9]{12}|[0-9a-fA-F]{16,})\\y', '…', 'g'),
    '\\d+', '#', 'g')`;

/** Failed jobs since a moment with their cause. A retry helps as long as nothing newer did the job's work. */
function failedJobs(grants: Grants, since: Date): Prisma.Sql {
  return Prisma.sql`
    SELECT jobs.*, left(md5(concat_ws(chr(31), type, failure_class, error_step, alike, issuer_id, target_kind)), 16) AS cause
    FROM (
      SELECT j.id, j.type, j.failure_class, j.error_step, j.error_message, j.certificate_id, j.agent_id, j.completed_at,
        ${alike} AS alike,
        CASE WHEN j.type IN ('Issuance', 'Renewal') THEN c.issuer_id ELSE '' END AS issuer_id,
        coalesce(t.kind, '') AS target_kind,
        c.archived_at IS NULL AND a.retired_at IS NULL AND CASE WHEN j.type = 'Deployment' THEN t.generation = j.generation
          ELSE NOT EXISTS (
            SELECT 1 FROM jobs newer WHERE newer.certificate_id = j.certificate_id AND newer.agent_id = j.agent_id
              AND newer.created_at > j.created_at AND newer.status <> 'Failed' AND newer.status <> 'Cancelled'
              AND newer.target_id IS NOT DISTINCT FROM j.target_id
              AND (newer.type = 'Validation') = (j.type = 'Validation'))
          END AS retryable
      FROM jobs j JOIN managed_certificates c ON c.id = j.certificate_id JOIN agents a ON a.id = j.agent_id
      LEFT JOIN deployment_targets t ON t.id = j.target_id
      WHERE j.status = 'Failed' AND j.completed_at > ${since}
        AND ${grantedCertificate(grants, Prisma.sql`j.certificate_id`)}
    ) jobs`;
}

/** The causes of what failed since, the most frequent first. Empty types: all. */
export async function listCauses(
  db: Database,
  grants: Grants,
  { since, types }: { since: Date; types: readonly string[] },
): Promise<Cause[]> {
  const wanted = types.length > 0 ? Prisma.sql`type = ANY(${[...types]}::text[])` : Prisma.sql`true`;
  return db.$queryRaw<Cause[]>`
    SELECT cause AS id, type, failure_class AS "failureClass", error_step AS step, alike AS message,
      issuer_id AS "issuerId", target_kind AS "targetKind", count(*)::int AS jobs,
      count(*) FILTER (WHERE retryable)::int AS retryable, count(DISTINCT certificate_id)::int AS certificates,
      count(DISTINCT agent_id)::int AS agents, min(completed_at) AS "firstAt", max(completed_at) AS "lastAt",
      (array_agg(id ORDER BY completed_at DESC, id))[1:5] AS "sampleJobIds",
      (array_agg(error_message ORDER BY completed_at DESC, id))[1] AS "sampleMessage"
    FROM (${failedJobs(grants, since)}) failed WHERE ${wanted}
    GROUP BY cause, type, failure_class, error_step, alike, issuer_id, target_kind
    ORDER BY count(*) DESC, max(completed_at) DESC, cause LIMIT ${mostCauses}`;
}

/** The jobs of a cause that a retry would help, by certificate. */
export async function retryableJobs(
  db: Database | Transaction,
  grants: Grants,
  { since, causeId }: { since: Date; causeId: string },
): Promise<{ certificateId: string; jobIds: string[]; sample: string }[]> {
  return db.$queryRaw<{ certificateId: string; jobIds: string[]; sample: string }[]>`
    SELECT certificate_id AS "certificateId", array_agg(id ORDER BY id) AS "jobIds",
      min(error_step || ': ' || alike) AS sample
    FROM (${failedJobs(grants, since)}) failed WHERE cause = ${causeId} AND retryable
    GROUP BY certificate_id ORDER BY certificate_id`;
}
