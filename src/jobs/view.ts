import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database } from "../platform/database.ts";

/** A job with what is computed about it. */
export interface JobView {
  id: string;
  type: string;
  status: string;
  outcome: string | null;
  certificateId: string;
  agentId: string;
  targetId: string | null;
  versionId: string | null;
  parentJobId: string | null;
  childJobIds: string[];
  renewalId: string;
  attempts: number;
  maxAttempts: number;
  runAfter: Date;
  errorStep: string;
  errorMessage: string;
  createdAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
}

export interface TimelineEvent {
  at: Date;
  step: string;
  message: string;
  jobId: string;
  attempt: number;
}

/** Jobs with their outcome, which sums up their deployments and is null until it is final. */
const jobViews = Prisma.sql`
  SELECT j.id, j.type, j.status, j.certificate_id AS "certificateId", j.agent_id AS "agentId", j.target_id AS "targetId",
    j.version_id AS "versionId", j.parent_job_id AS "parentJobId", children.ids AS "childJobIds",
    j.renewal_id AS "renewalId", j.attempts, j.max_attempts AS "maxAttempts", j.run_after AS "runAfter",
    j.error_step AS "errorStep", j.error_message AS "errorMessage", j.created_at AS "createdAt",
    j.started_at AS "startedAt", j.completed_at AS "completedAt",
    CASE
      WHEN j.status IN ('Failed', 'Cancelled') THEN 'NotProven'
      WHEN j.status <> 'Completed' THEN NULL
      WHEN j.type = 'Deployment' THEN 'Proven'
      WHEN children.total = 0 THEN 'Issued'
      WHEN children.ended < children.total THEN NULL
      WHEN children.proven = children.total THEN 'Proven'
      WHEN children.proven = 0 THEN 'NotProven'
      ELSE 'PartlyProven'
    END AS outcome
  FROM jobs j
  LEFT JOIN LATERAL (
    SELECT coalesce(array_agg(child.id ORDER BY child.id), '{}') AS ids, count(*) AS total,
      count(*) FILTER (WHERE child.status IN ('Completed', 'Failed', 'Cancelled')) AS ended,
      count(*) FILTER (WHERE child.status = 'Completed') AS proven
    FROM jobs child WHERE child.parent_job_id = j.id
  ) children ON true`;

export async function findJob(db: Database, grants: Grants, id: string): Promise<JobView | null> {
  const [view] = await db.$queryRaw<JobView[]>`
    ${jobViews} WHERE j.id = ${id} AND ${granted(grants)}`;
  return view ?? null;
}

export interface JobFilter {
  certificateId: string;
  agentId: string;
  statuses: readonly string[];
  types: readonly string[];
  skip: number;
  take: number;
}

/** A page of jobs, newest first, with the number of all that match. Empty filters match all. */
export async function listJobs(
  db: Database,
  grants: Grants,
  filter: JobFilter,
): Promise<{ total: number; rows: JobView[] }> {
  const conditions = [
    granted(grants),
    ...(filter.certificateId ? [Prisma.sql`j.certificate_id = ${filter.certificateId}`] : []),
    ...(filter.agentId ? [Prisma.sql`j.agent_id = ${filter.agentId}`] : []),
    ...(filter.statuses.length > 0 ? [Prisma.sql`j.status = ANY(${[...filter.statuses]}::text[])`] : []),
    ...(filter.types.length > 0 ? [Prisma.sql`j.type = ANY(${[...filter.types]}::text[])`] : []),
  ];
  const where = Prisma.join(conditions, " AND ");
  const [count, rows] = await Promise.all([
    db.$queryRaw<[{ total: bigint }]>`SELECT count(*) AS total FROM jobs j WHERE ${where}`,
    db.$queryRaw<JobView[]>`
      ${jobViews} WHERE ${where} ORDER BY j.created_at DESC, j.id LIMIT ${filter.take} OFFSET ${filter.skip}`,
  ]);
  return { total: Number(count[0].total), rows };
}

function granted(grants: Grants): Prisma.Sql {
  return grantedCertificate(grants, Prisma.sql`j.certificate_id`);
}

/** The steps of a job and of its deployments, in the order in which they happened. */
export async function timelineOf(db: Database, id: string): Promise<TimelineEvent[]> {
  return db.$queryRaw<TimelineEvent[]>`
    SELECT e.at, e.step, e.message, e.job_id AS "jobId", e.attempt
    FROM job_events e JOIN jobs j ON j.id = e.job_id
    WHERE j.id = ${id} OR j.parent_job_id = ${id} ORDER BY e.id`;
}
