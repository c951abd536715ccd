import type { Job } from "#gen/prisma/client.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import type { RevocationReason } from "../issuers/issuer.ts";
import type { Transaction } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { advance } from "./advance.ts";
import { enqueue } from "./queue.ts";
import { openStatuses } from "./state.ts";
import { addEvent, type JobRef, transition } from "./transition.ts";

/** Opens the job that makes a certificate version with the key of one agent, and sets it going. */
export async function createIssuance(
  tx: Transaction,
  actor: Actor,
  options: {
    type: "Issuance" | "Renewal";
    certificateId: string;
    agentId: string;
    renewalId: string;
    now: Date;
    /** When the job is to start; at once when left out. */
    runAfter?: Date;
    /** Before its planned time, without anybody's asking. */
    isEarly?: boolean;
  },
): Promise<string> {
  const { now, runAfter = now, ...data } = options;
  const id = newId("job");
  const job = await tx.job.create({
    data: {
      ...data,
      id,
      keyId: id,
      keygen: await keygenMode(tx),
      status: "Pending",
      maxAttempts: await attemptsOf(tx, data.certificateId),
      createdAt: now,
      runAfter,
    },
  });
  await addEvent(tx, job, "created", `by ${actor.id}`);
  await recordAudit(tx, actor, {
    action: "job_created",
    resourceType: "job",
    resourceId: job.id,
    details: { type: job.type, certificate_id: job.certificateId, agent_id: job.agentId },
  });
  if (runAfter > now) await enqueue(tx, "advance", job.id, runAfter);
  else await advance(tx, job);
  return job.id;
}

/** Who makes keys in this installation: "agent" or "server". */
async function keygenMode(tx: Transaction): Promise<string> {
  const installation = await tx.installation.findFirst({ select: { keygenMode: true } });
  return installation?.keygenMode ?? "agent";
}

/** The first attempt and the retries that the certificate's renewal policy grants. */
export async function attemptsOf(tx: Transaction, certificateId: string): Promise<number> {
  const { renewalPolicy } = await tx.managedCertificate.findUniqueOrThrow({
    where: { id: certificateId },
    select: { renewalPolicy: { select: { maxRetries: true } } },
  });
  return renewalPolicy.maxRetries + 1;
}

/** Opens the job that has a version revoked by its issuer, or answers the one that is open. */
export async function createRevocation(
  tx: Transaction,
  actor: Actor,
  {
    version,
    reason,
    now,
  }: {
    version: { id: string; certificateId: string; agentId: string; renewalId: string };
    reason: RevocationReason;
    now: Date;
  },
): Promise<string> {
  const { id: versionId, certificateId, agentId, renewalId } = version;
  const open = await tx.job.findFirst({
    where: { type: "Revocation", versionId, status: { in: [...openStatuses] } },
  });
  if (open) return open.id;
  const job = await tx.job.create({
    data: {
      id: newId("job"),
      type: "Revocation",
      status: "Pending",
      certificateId,
      agentId,
      versionId,
      renewalId,
      revocationReason: reason,
      maxAttempts: await attemptsOf(tx, certificateId),
      createdAt: now,
      runAfter: now,
    },
  });
  await addEvent(tx, job, "created", `revoke ${versionId}: ${reason}`);
  await recordAudit(tx, actor, {
    action: "job_created",
    resourceType: "job",
    resourceId: job.id,
    details: { type: job.type, certificate_id: certificateId, version_id: versionId, reason },
  });
  await advance(tx, job);
  return job.id;
}

/** A version to put on a target. */
export interface DeploymentOrder {
  version: { id: string; certificateId: string; renewalId: string };
  target: { id: string; agentId: string };
  /** The issuance that made the version, if this is its first deployment. */
  parentJobId: string | null;
}

/**
 * Opens the deployment of a version to a target. It takes its place in the target's order: what still waited to be
 * deployed there is cancelled, because the agent would refuse it as the older.
 */
export async function createDeployment(
  tx: Transaction,
  actor: Actor,
  { version, target, parentJobId }: DeploymentOrder,
  now: Date,
): Promise<string> {
  const { generation } = await tx.target.update({
    where: { id: target.id },
    data: { generation: { increment: 1 } },
    select: { generation: true },
  });
  const job = await tx.job.create({
    data: {
      id: newId("job"),
      type: "Deployment",
      status: "Pending",
      certificateId: version.certificateId,
      agentId: target.agentId,
      targetId: target.id,
      versionId: version.id,
      renewalId: version.renewalId,
      parentJobId,
      generation,
      maxAttempts: await attemptsOf(tx, version.certificateId),
      createdAt: now,
      runAfter: now,
    },
  });
  await supersede(tx, job, now);
  await addEvent(tx, job, "created", `deploy ${version.id} to ${target.id}`);
  await recordAudit(tx, actor, {
    action: "job_created",
    resourceType: "job",
    resourceId: job.id,
    details: {
      type: job.type,
      certificate_id: job.certificateId,
      target_id: target.id,
      version_id: version.id,
    },
  });
  await advance(tx, job);
  return job.id;
}

/** Opens the job that looks at what a target serves, or answers the one that is open. */
export async function createValidation(
  tx: Transaction,
  actor: Actor,
  options: {
    certificateId: string;
    target: { id: string; agentId: string; generation: number };
    /** What is expected there; null: nothing was issued yet. */
    versionId: string | null;
    now: Date;
    runAfter?: Date;
  },
): Promise<string> {
  const { certificateId, target, versionId, now, runAfter = now } = options;
  const open = await tx.job.findFirst({
    where: { type: "Validation", certificateId, targetId: target.id, status: { in: [...openStatuses] } },
  });
  if (open) return open.id;
  const job = await tx.job.create({
    data: {
      id: newId("job"),
      type: "Validation",
      status: "Pending",
      certificateId,
      agentId: target.agentId,
      targetId: target.id,
      versionId,
      renewalId: newId("rn"),
      // What it sees is older than any deployment that comes after it.
      generation: target.generation,
      maxAttempts: await attemptsOf(tx, certificateId),
      createdAt: now,
      runAfter,
    },
  });
  await addEvent(tx, job, "created", `look at ${target.id}`);
  await recordAudit(tx, actor, {
    action: "job_created",
    resourceType: "job",
    resourceId: job.id,
    details: { type: job.type, certificate_id: certificateId, target_id: target.id },
  });
  if (runAfter > now) await enqueue(tx, "advance", job.id, runAfter);
  else await advance(tx, job);
  return job.id;
}

async function supersede(tx: Transaction, newer: Job, now: Date): Promise<void> {
  // Locked: one that an agent is given at this moment is none of them.
  const waiting = await tx.$queryRaw<JobRef[]>`
    SELECT id, status, parent_job_id AS "parentJobId", attempts FROM jobs
    WHERE type = 'Deployment' AND target_id = ${newer.targetId} AND status = 'Pending' AND lease_expires_at IS NULL
      AND id <> ${newer.id} ORDER BY id FOR UPDATE`;
  for (const job of waiting) {
    await transition(tx, job, "Cancelled", { completedAt: now });
    await addEvent(tx, job, "superseded", `by ${newer.id}`);
  }
}

/**
 * The open deployment of this version to this target, if it is the target's newest. One that waits for its next attempt is
 * set going at once.
 */
export async function resumeDeployment(
  tx: Transaction,
  { versionId, target }: { versionId: string; target: { id: string; generation: number } },
  now: Date,
): Promise<string | null> {
  const job = await tx.job.findFirst({
    where: {
      versionId,
      targetId: target.id,
      generation: target.generation,
      status: { in: [...openStatuses] },
    },
  });
  if (job?.status === "Pending") {
    await tx.job.update({ where: { id: job.id }, data: { runAfter: now } });
    await addEvent(tx, job, "resumed", "asked for before its time");
    await advance(tx, job);
  }
  return job?.id ?? null;
}
