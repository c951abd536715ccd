import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import { type Course, courseOf, type Event, keySteps, laneSteps } from "./course.ts";

/** A job of a journey. */
export interface TrackJob {
  id: string;
  type: string;
  status: string;
  renewalId: string;
  agentId: string;
  agentName: string;
  targetId: string | null;
  targetName: string | null;
  targetKind: string | null;
  maxAttempts: number;
  runAfter: Date;
  errorStep: string;
  errorMessage: string;
  failureClass: string;
  servedFingerprint: string | null;
  isEarly: boolean;
  versionId: string | null;
  serial: string | null;
  fingerprint: string | null;
  createdAt: Date;
  completedAt: Date | null;
}

const trackJobs = Prisma.sql`
  SELECT j.id, j.type, j.status, j.renewal_id AS "renewalId", j.agent_id AS "agentId", a.name AS "agentName",
    j.target_id AS "targetId", t.name AS "targetName", t.kind AS "targetKind", j.max_attempts AS "maxAttempts",
    j.run_after AS "runAfter", j.error_step AS "errorStep", j.error_message AS "errorMessage",
    j.failure_class AS "failureClass", j.served_fingerprint_sha256 AS "servedFingerprint", j.is_early AS "isEarly",
    v.id AS "versionId", v.serial, v.fingerprint_sha256 AS fingerprint, j.created_at AS "createdAt",
    j.completed_at AS "completedAt"
  FROM jobs j
  JOIN agents a ON a.id = j.agent_id
  LEFT JOIN deployment_targets t ON t.id = j.target_id
  LEFT JOIN certificate_versions v ON v.id = j.version_id`;

/** The jobs of these journeys: every issuance, and of each target the newest deployment. */
export async function jobsOf(
  db: Database,
  certificateId: string,
  renewalIds: readonly string[],
): Promise<TrackJob[]> {
  return db.$queryRaw<TrackJob[]>`
    ${trackJobs}
    WHERE j.certificate_id = ${certificateId} AND j.renewal_id = ANY(${[...renewalIds]}::text[])
      AND (j.type IN ('Issuance', 'Renewal') OR (j.type = 'Deployment' AND NOT EXISTS (
        SELECT 1 FROM jobs newer WHERE newer.certificate_id = j.certificate_id AND newer.renewal_id = j.renewal_id
          AND newer.type = 'Deployment' AND newer.target_id = j.target_id AND newer.generation > j.generation)))
    ORDER BY j.created_at, a.name, t.name, j.id`;
}

/** The renewals of a certificate, newest first. */
export async function renewalsOf(
  db: Database,
  certificateId: string,
  { skip, take }: { skip: number; take: number },
): Promise<{ total: number; ids: string[] }> {
  const [{ total }, rows] = await Promise.all([
    db.$queryRaw<[{ total: number }]>`
      SELECT count(DISTINCT renewal_id)::int AS total FROM jobs
      WHERE certificate_id = ${certificateId} AND type IN ('Issuance', 'Renewal')`.then(([row]) => row),
    db.$queryRaw<{ id: string }[]>`
      SELECT renewal_id AS id FROM jobs WHERE certificate_id = ${certificateId} AND type IN ('Issuance', 'Renewal')
      GROUP BY renewal_id ORDER BY min(created_at) DESC, renewal_id LIMIT ${take} OFFSET ${skip}`,
  ]);
  return { total, ids: rows.map(({ id }) => id) };
}

/** A target that waits for a certificate which is not issued yet. */
export interface WaitingTarget {
  id: string;
  name: string;
  kind: string;
  agentId: string;
  agentName: string;
}

export async function targetsOf(db: Database, certificateId: string): Promise<WaitingTarget[]> {
  return db.$queryRaw<WaitingTarget[]>`
    SELECT t.id, t.name, t.kind, t.agent_id AS "agentId", a.name AS "agentName"
    FROM certificate_target_mappings m
    JOIN deployment_targets t ON t.id = m.target_id AND t.archived_at IS NULL
    JOIN agents a ON a.id = t.agent_id
    WHERE m.certificate_id = ${certificateId} ORDER BY a.name, t.name, t.id`;
}

/** The course of each job, by its id. */
export async function coursesOf(
  db: Database,
  jobs: readonly Pick<TrackJob, "id" | "type" | "status" | "runAfter">[],
  now: Date,
): Promise<Map<string, Course>> {
  const ids = jobs.map(({ id }) => id);
  // What is about to be signed is recorded without a step in the timeline.
  const events = await db.$queryRaw<(Event & { jobId: string })[]>`
    SELECT e.job_id AS "jobId", e.at, e.step, e.message, e.attempt FROM (
      SELECT id, job_id, at, step, message, attempt FROM job_events WHERE job_id = ANY(${ids}::text[])
      UNION ALL
      SELECT (SELECT max(id) FROM job_events e WHERE e.job_id = i.job_id AND e.at <= i.created_at), i.job_id,
        i.created_at, 'recorded', '', 0
      FROM issuances i WHERE i.job_id = ANY(${ids}::text[])
    ) e ORDER BY e.id, e.at`;
  return new Map(
    jobs.map((job) => {
      const own = events.filter(({ jobId }) => jobId === job.id);
      return [job.id, courseOf(stepsOf(job.type), own, { ...job, isPlanned: isPlanned(job, own, now) })];
    }),
  );
}

export function stepsOf(type: string) {
  return type === "Deployment" ? laneSteps : keySteps;
}

/** Whether the job waits for the time of its next attempt, or was just tried and is not yet offered again. */
function isPlanned(
  { status, runAfter }: Pick<TrackJob, "status" | "runAfter">,
  events: readonly Event[],
  now: Date,
): boolean {
  if (status !== "Pending") return false;
  const last = events.findLast(({ step }) => step !== "retry_planned")?.step;
  return runAfter > now || last === "failed";
}
