import type { Database, Transaction } from "../platform/database.ts";
import { notFound, outdated } from "../platform/errors.ts";
import { isIssuance } from "./state.ts";
import { addEvent, type JobRef, notifyChange, transition } from "./transition.ts";

/** A delivered job must be taken up within this time, or it is given out again. */
export const acknowledgeWithinMs = 15_000;
/** How long a lease holds once the job is taken up; progress and heartbeats renew it. */
export const leaseTtlMs = 300_000;

/** A job that was given to an agent's stream. */
export interface Claimed {
  id: string;
  leaseId: string;
  attempts: number;
}

/** An agent's stream: only the newest one is given work. */
export interface Session {
  agentId: string;
  epoch: number;
}

/**
 * Leases the agent's due jobs to its session, as many as it has room for. The database's clock decides about leases, `now`
 * about when a job is due. A job whose delivery was never acknowledged is given out again and loses no attempt.
 */
export async function claim(db: Database, { agentId, epoch }: Session, now: Date): Promise<Claimed[]> {
  return db.$queryRaw<Claimed[]>`
    WITH session AS MATERIALIZED (
      SELECT id, max_in_flight FROM agents WHERE id = ${agentId} AND session_epoch = ${epoch}
    ), due AS MATERIALIZED (
      SELECT j.id FROM jobs j JOIN session s ON s.id = j.agent_id
      WHERE ((j.type IN ('Issuance', 'Renewal') AND j.status = 'AwaitingCSR')
          OR (j.type IN ('Deployment', 'Validation') AND j.status = 'Pending'))
        AND j.run_after <= ${now}
        AND (j.lease_expires_at IS NULL OR (j.lease_expires_at <= now() AND j.acknowledged_at IS NULL))
      ORDER BY j.created_at
      LIMIT GREATEST(0, (SELECT max_in_flight FROM session)
        - (SELECT count(*) FROM jobs WHERE agent_id = ${agentId} AND lease_expires_at > now()))
      FOR UPDATE OF j SKIP LOCKED
    ), leased AS (
      UPDATE jobs SET lease_id = gen_random_uuid()::text, lease_epoch = ${epoch}, delivered_at = now(),
        acknowledged_at = NULL, lease_expires_at = now() + ${acknowledgeWithinMs} * interval '1 millisecond'
      FROM due WHERE jobs.id = due.id
      RETURNING jobs.id, jobs.lease_id, jobs.attempts
    ), told AS (
      INSERT INTO job_events (job_id, step, message, attempt)
      SELECT id, 'delivered', 'to ' || ${agentId}, attempts + 1 FROM leased
    )
    SELECT id, lease_id AS "leaseId", attempts FROM leased`;
}

/** A leased job, its row locked until the transaction ends. */
export interface LeasedJob extends JobRef {
  type: string;
  agentId: string;
  certificateId: string;
  targetId: string | null;
  versionId: string | null;
  keyId: string;
  generation: number;
  maxAttempts: number;
  leaseId: string | null;
  resultLeaseId: string | null;
  acknowledgedAt: Date | null;
  csr: Uint8Array | null;
  /** By the database's clock. */
  isLive: boolean;
}

/** Locks a job of this agent. Throws when the job does not exist or is another agent's. */
export async function lockJob(tx: Transaction, jobId: string, agentId: string): Promise<LeasedJob> {
  const [job] = await tx.$queryRaw<LeasedJob[]>`
    SELECT id, type, status, agent_id AS "agentId", certificate_id AS "certificateId", target_id AS "targetId",
      version_id AS "versionId", parent_job_id AS "parentJobId", key_id AS "keyId", generation, attempts, max_attempts AS "maxAttempts",
      lease_id AS "leaseId", result_lease_id AS "resultLeaseId", acknowledged_at AS "acknowledgedAt", csr,
      coalesce(lease_expires_at > now(), false) AS "isLive"
    FROM jobs WHERE id = ${jobId} FOR UPDATE`;
  if (!job) throw notFound("job", jobId);
  if (job.agentId !== agentId) throw leaseLost(jobId);
  return job;
}

/** Refuses a write that is not covered by the live lease. An empty `leaseId` stands for the lease that the agent holds. */
export function requireLease(job: LeasedJob, leaseId: string): void {
  const isHolder = leaseId === "" ? job.leaseId !== null : job.leaseId === leaseId;
  if (!isHolder || !job.isLive) throw leaseLost(job.id);
}

export function leaseLost(jobId: string) {
  return outdated("LEASE_LOST", `the lease on job ${jobId} is not held (any more); drop the work`);
}

/**
 * Wakes the agent's stream if work waits for it: a lease has ended, so that it has room again. Without that the next job
 * would wait for the stream's next ping.
 */
export async function offerRoom(tx: Transaction, agentId: string): Promise<void> {
  await tx.$executeRaw`
    SELECT pg_notify('certctl_work', ${agentId}) WHERE EXISTS (
      SELECT 1 FROM jobs WHERE agent_id = ${agentId} AND status IN ('AwaitingCSR', 'Pending') AND lease_expires_at IS NULL)`;
}

/** Counts the attempt at the first sign of the agent's work, and renews the lease at every later one. */
export async function takeUp(tx: Transaction, job: LeasedJob): Promise<LeasedJob> {
  if (job.acknowledgedAt) {
    await tx.$executeRaw`
      UPDATE jobs SET lease_expires_at = now() + ${leaseTtlMs} * interval '1 millisecond' WHERE id = ${job.id}`;
    return job;
  }
  const taken = { ...job, attempts: job.attempts + 1, acknowledgedAt: new Date() };
  await tx.$executeRaw`
    UPDATE jobs SET attempts = attempts + 1, acknowledged_at = now(), started_at = coalesce(started_at, now()),
      lease_expires_at = now() + ${leaseTtlMs} * interval '1 millisecond' WHERE id = ${job.id}`;
  await addEvent(tx, taken, "accepted", `by ${job.agentId}`);
  if (isIssuance(job.type)) {
    await notifyChange(tx, taken);
    return taken;
  }
  await transition(tx, taken, "Running");
  return { ...taken, status: "Running" };
}

/** What becomes of a lease that an agent says it holds. */
export interface LeaseDecision {
  jobId: string;
  leaseId: string;
  keep: boolean;
}

/** Renews the leases that the agent holds and has taken up, and tells it which are lost. */
export async function renewLeases(
  db: Database | Transaction,
  agentId: string,
  held: readonly { jobId: string; leaseId: string }[],
): Promise<LeaseDecision[]> {
  if (held.length === 0) return [];
  const kept = await db.$queryRaw<{ id: string; leaseId: string }[]>`
    UPDATE jobs SET lease_expires_at = CASE WHEN acknowledged_at IS NULL THEN lease_expires_at
      ELSE now() + ${leaseTtlMs} * interval '1 millisecond' END
    FROM unnest(${held.map(({ jobId }) => jobId)}::text[], ${held.map(({ leaseId }) => leaseId)}::text[]) AS held(job_id, lease_id)
    WHERE jobs.id = held.job_id AND jobs.lease_id = held.lease_id AND jobs.agent_id = ${agentId}
      AND jobs.lease_expires_at > now()
    RETURNING jobs.id, jobs.lease_id AS "leaseId"`;
  const isKept = (jobId: string, leaseId: string) =>
    kept.some((row) => row.id === jobId && row.leaseId === leaseId);
  return held.map(({ jobId, leaseId }) => ({ jobId, leaseId, keep: isKept(jobId, leaseId) }));
}
