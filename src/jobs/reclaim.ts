import { system } from "../audit/record.ts";
import { notify } from "../platform/bus.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { enqueue } from "./queue.ts";
import { failAttempt } from "./retry.ts";
import { isIssuance, serverTypes } from "./state.ts";
import { addEvent, transition } from "./transition.ts";

/**
 * Takes back what an agent that was lost held, or one that restarted no longer knows of, to be given out again at once. That it was lost is not
 * the job's fault: it uses no attempt.
 */
export async function reclaimFromRestarted(
  tx: Transaction,
  agentId: string,
  heldLeaseIds: readonly string[],
  why: "restarted" | "lost" = "restarted",
): Promise<void> {
  // A result that is being stored at this moment is stored first, and the job then is not among the lost.
  await tx.$queryRaw`
    SELECT id FROM jobs WHERE agent_id = ${agentId} AND lease_expires_at IS NOT NULL ORDER BY id FOR UPDATE`;
  const lost = await tx.job.findMany({
    where: { agentId, leaseExpiresAt: { not: null }, leaseId: { notIn: [...heldLeaseIds] } },
  });
  for (const job of lost) {
    const attempts = job.acknowledgedAt ? Math.max(0, job.attempts - 1) : job.attempts;
    const free = { leaseExpiresAt: null, acknowledgedAt: null, attempts };
    if (job.status === "Running" && !isIssuance(job.type)) await transition(tx, job, "Pending", free);
    else await tx.job.update({ where: { id: job.id }, data: free });
    await addEvent(
      tx,
      { ...job, attempts },
      "returned",
      `agent ${agentId} ${why === "lost" ? "was lost" : "restarted"}`,
    );
  }
}

/**
 * Ends attempts whose lease ran out: the agent was lost on the way. Deliveries that nobody acknowledged are offered
 * again. Safe with several replicas: each job is locked or left to another.
 */
export async function reclaimExpired(db: Database, now: Date): Promise<number> {
  return db.$transaction(async (tx) => {
    const expired = await tx.$queryRaw<{ id: string }[]>`
      SELECT id FROM jobs WHERE lease_expires_at <= now() ORDER BY lease_expires_at LIMIT 500 FOR UPDATE SKIP LOCKED`;
    for (const { id } of expired) {
      const job = await tx.job.findUniqueOrThrow({ where: { id } });
      if (job.acknowledgedAt) {
        const message = `agent ${job.agentId} took the job up and was not heard of again`;
        await failAttempt(tx, system, job, { step: "agent_lost", message, failureClass: "Network" }, now);
      } else {
        await tx.job.update({ where: { id }, data: { leaseExpiresAt: null } });
        await notify(tx, "work", job.agentId);
      }
    }
    return expired.length;
  });
}

/**
 * Enqueues again the signing of every accepted CSR, and every revocation, that has had no result for a while, and whose CA did not ask to wait: its
 * server may have died. Signing twice is harmless, because what is signed or ordered was recorded first.
 */
export async function resumeSigning(db: Database, idleMs: number, now: Date): Promise<number> {
  return db.$transaction(async (tx) => {
    const waiting = await tx.$queryRaw<{ id: string; type: string }[]>`
      SELECT j.id, j.type FROM jobs j
      WHERE j.type IN ('Issuance', 'Renewal', 'Revocation') AND j.status = 'Running'
        AND NOT EXISTS (SELECT 1 FROM job_events e WHERE e.job_id = j.id AND e.at > now() - ${idleMs} * interval '1 millisecond')
        AND NOT EXISTS (SELECT 1 FROM issuer_orders o WHERE o.job_id = j.id AND o.key_id = j.key_id AND o.poll_at > ${now})
      ORDER BY j.created_at LIMIT 500 FOR UPDATE OF j SKIP LOCKED`;
    for (const { id, type } of waiting) await enqueue(tx, isIssuance(type) ? "issue" : "revoke", id);
    return waiting.length;
  });
}

/** Sets due jobs going whose planned task was lost. */
export async function resumePending(
  db: Database,
  advance: (jobId: string) => Promise<void>,
  now: Date,
): Promise<number> {
  const due = await db.job.findMany({
    where: { status: "Pending", type: { in: [...serverTypes] }, runAfter: { lte: now } },
    select: { id: true },
    take: 500,
  });
  for (const { id } of due) await advance(id);
  return due.length;
}

/** Wakes the agents that are there and have due work on targets which nobody told them of. Returns how many. */
export async function wakeForDue(db: Database, now: Date): Promise<number> {
  const woken = await db.$queryRaw<unknown[]>`
    SELECT pg_notify('certctl_work', due.agent_id)::text FROM (
      SELECT DISTINCT j.agent_id FROM jobs j JOIN agents a ON a.id = j.agent_id AND a.session_id IS NOT NULL
      WHERE j.type IN ('Deployment', 'Validation') AND j.status = 'Pending' AND j.run_after <= ${now}
        AND j.lease_expires_at IS NULL
    ) due`;
  return woken.length;
}
