import { Prisma } from "#gen/prisma/client.ts";
import { isOnline } from "../agents/view.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";

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
  failureClass: string;
  servedFingerprint: string | null;
  /** Null: nobody holds the job. */
  leaseExpiresAt: Date | null;
  leaseEpoch: number | null;
  deliveredAt: Date | null;
  acknowledgedAt: Date | null;
  createdAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
  certificateName: string;
  agentName: string;
  isAgentOnline: boolean;
  targetName: string | null;
  /** Who signs, or signed; null where nothing is signed. */
  issuerId: string | null;
  issuerName: string | null;
  /** An issuance's CSR is there. */
  hasCsr: boolean;
  /** What the CA has its order wait for; empty: nothing. */
  orderMessage: string;
}

export interface TimelineEvent {
  at: Date;
  step: string;
  message: string;
  jobId: string;
  attempt: number;
}

/** What the CA said when it left the order of a job `j` waiting. */
export const orderMessage = Prisma.sql`coalesce((
  SELECT o.message FROM issuer_orders o
  WHERE o.job_id = j.id AND o.key_id = j.key_id AND j.status = 'Running' AND o.poll_at IS NOT NULL
  ORDER BY o.updated_at DESC LIMIT 1), '')`;

/** Jobs with their outcome, which sums up their deployments and is null until it is final. A validation's says whether the
 * version that was to be there is served. */
const jobViews = Prisma.sql`
  SELECT j.id, j.type, j.status, j.certificate_id AS "certificateId", j.agent_id AS "agentId", j.target_id AS "targetId",
    j.version_id AS "versionId", j.parent_job_id AS "parentJobId", children.ids AS "childJobIds",
    j.renewal_id AS "renewalId", j.attempts, j.max_attempts AS "maxAttempts", j.run_after AS "runAfter",
    j.error_step AS "errorStep", j.error_message AS "errorMessage", j.failure_class AS "failureClass",
    j.served_fingerprint_sha256 AS "servedFingerprint", j.created_at AS "createdAt",
    CASE WHEN j.lease_expires_at > now() THEN j.lease_expires_at END AS "leaseExpiresAt", j.lease_epoch AS "leaseEpoch",
    j.delivered_at AS "deliveredAt", j.acknowledged_at AS "acknowledgedAt", j.started_at AS "startedAt", j.completed_at AS "completedAt",
    CASE
      WHEN j.type = 'Revocation' THEN CASE WHEN j.status = 'Completed' THEN 'Revoked'
        WHEN j.status IN ('Failed', 'Cancelled') THEN 'NotRevoked' END
      WHEN j.status IN ('Failed', 'Cancelled') THEN 'NotProven'
      WHEN j.status <> 'Completed' THEN NULL
      WHEN j.type = 'Deployment' THEN 'Proven'
      WHEN j.type = 'Validation' THEN CASE WHEN expected.fingerprint_sha256 = j.served_fingerprint_sha256
        THEN 'Proven' ELSE 'NotProven' END
      WHEN children.total = 0 THEN 'Issued'
      WHEN children.ended < children.total THEN NULL
      WHEN children.proven = children.total THEN 'Proven'
      WHEN children.proven = 0 THEN 'NotProven'
      ELSE 'PartlyProven'
    END AS outcome,
    c.name AS "certificateName", a.name AS "agentName", ${isOnline} AS "isAgentOnline", t.name AS "targetName",
    j.csr IS NOT NULL AS "hasCsr", ${orderMessage} AS "orderMessage", issuer.id AS "issuerId", issuer.name AS "issuerName"
  FROM jobs j
  JOIN managed_certificates c ON c.id = j.certificate_id
  JOIN agents a ON a.id = j.agent_id
  LEFT JOIN deployment_targets t ON t.id = j.target_id
  LEFT JOIN certificate_versions made ON made.job_id = j.id
  LEFT JOIN issuers issuer ON issuer.id = CASE WHEN j.type IN ('Issuance', 'Renewal')
    THEN coalesce(made.issuer_id, j.issuer_id, c.issuer_id) END
  LEFT JOIN certificate_versions expected ON expected.id = j.version_id
  LEFT JOIN LATERAL (
    SELECT coalesce(array_agg(child.id ORDER BY child.id), '{}') AS ids, count(*) AS total,
      count(*) FILTER (WHERE child.status IN ('Completed', 'Failed', 'Cancelled')) AS ended,
      count(*) FILTER (WHERE child.status = 'Completed') AS proven
    FROM jobs child WHERE child.parent_job_id = j.id
  ) children ON true`;

export async function findJob(db: Database, grants: Grants, id: string): Promise<JobView | null> {
  const [view] = await db.$queryRaw<JobView[]>`
    ${jobViews} WHERE j.id = ${id} AND ${grantedCertificate(grants, Prisma.sql`j.certificate_id`)}`;
  return view ?? null;
}

export interface JobFilter {
  certificateId: string;
  agentId: string;
  targetId: string;
  renewalId: string;
  parentJobId: string;
  statuses: readonly string[];
  types: readonly string[];
  failureClasses: readonly string[];
  /** Part of a name. */
  q: string;
}

const endless = Prisma.sql`'infinity'::timestamptz`;

/** The columns that filters speak of; names only where they are needed. */
export function filteredJobs({ q }: JobFilter): Prisma.Sql {
  return q === "" ? ownColumns : jobViews;
}

const ownColumns = Prisma.sql`
  SELECT j.id, j.type, j.status, j.certificate_id AS "certificateId", j.agent_id AS "agentId",
    j.target_id AS "targetId", j.renewal_id AS "renewalId", j.parent_job_id AS "parentJobId",
    j.failure_class AS "failureClass"
  FROM jobs j`;

const shape: ListShape = {
  view: jobViews,
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    run_after: { sql: Prisma.sql`"runAfter"`, type: "timestamptz" },
    completed_at: { sql: Prisma.sql`coalesce("completedAt", ${endless})`, type: "timestamptz" },
    status: { sql: Prisma.sql`status`, type: "text" },
  },
  defaultSort: "-created_at",
};

/** A page of the jobs that the grants reach, with the number of all that match. Empty filters match all. */
export async function listJobs(
  db: Database,
  grants: Grants,
  request: ListRequest,
  filter: JobFilter,
): Promise<ListedPage<JobView>> {
  const counted = { ...shape, countView: filteredJobs(filter) };
  return listPage<JobView>(db, counted, request, conditionsOf(grants, filter));
}

export function conditionsOf(grants: Grants, filter: JobFilter): Prisma.Sql[] {
  return [
    grantedCertificate(grants, Prisma.sql`items."certificateId"`),
    ...(filter.certificateId ? [Prisma.sql`"certificateId" = ${filter.certificateId}`] : []),
    ...(filter.agentId ? [Prisma.sql`"agentId" = ${filter.agentId}`] : []),
    ...(filter.targetId ? [Prisma.sql`"targetId" = ${filter.targetId}`] : []),
    ...(filter.renewalId ? [Prisma.sql`"renewalId" = ${filter.renewalId}`] : []),
    ...(filter.parentJobId ? [Prisma.sql`"parentJobId" = ${filter.parentJobId}`] : []),
    ...(filter.statuses.length > 0 ? [Prisma.sql`status = ANY(${[...filter.statuses]}::text[])`] : []),
    ...(filter.types.length > 0 ? [Prisma.sql`type = ANY(${[...filter.types]}::text[])`] : []),
    ...(filter.failureClasses.length > 0
      ? [Prisma.sql`"failureClass" = ANY(${[...filter.failureClasses]}::text[])`]
      : []),
    ...(filter.q
      ? [
          contains(filter.q, [
            Prisma.sql`"certificateName"`,
            Prisma.sql`coalesce("targetName", '')`,
            Prisma.sql`"agentName"`,
          ]),
        ]
      : []),
  ];
}

/** The steps of a job and of its deployments, in the order in which they happened. */
export async function timelineOf(db: Database, id: string): Promise<TimelineEvent[]> {
  return db.$queryRaw<TimelineEvent[]>`
    SELECT e.at, e.step, e.message, e.job_id AS "jobId", e.attempt
    FROM job_events e JOIN jobs j ON j.id = e.job_id
    WHERE j.id = ${id} OR j.parent_job_id = ${id} ORDER BY e.id`;
}
