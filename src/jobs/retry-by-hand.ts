import type { Job } from "#gen/prisma/client.ts";
import { holdAgent } from "../agents/hold.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { requireCertificate } from "../auth/grants.ts";
import { type Database, isUniqueViolation, type Transaction } from "../platform/database.ts";
import { conflict, notFound } from "../platform/errors.ts";
import { advance } from "./advance.ts";
import { attemptsOf } from "./create.ts";
import { addEvent, transition } from "./transition.ts";

/** What the name of a key ends in, as a regular expression, when a person had its job tried again. */
export const retriedKeySuffix = "-retry-[0-9]+";

/**
 * Takes up a job that failed or was cancelled: another round of attempts, and for an issuance another key and another
 * order.
 */
export async function retryJob(
  { db, clock }: { db: Database; clock: () => Date },
  actor: Actor,
  id: string,
): Promise<void> {
  try {
    await db.$transaction((tx) => retryWithin(tx, actor, id, clock()));
  } catch (error) {
    if (isUniqueViolation(error)) {
      throw conflict("RENEWAL_OPEN", `another job makes this certificate already; job ${id} stays as it is`);
    }
    throw error;
  }
}

/** The same as part of a transaction. A database's refusal of a second renewal at the same moment comes through as it is. */
export async function retryWithin(tx: Transaction, actor: Actor, id: string, now: Date): Promise<void> {
  await tx.$queryRaw`SELECT id FROM jobs WHERE id = ${id} FOR UPDATE`;
  const job = await tx.job.findUnique({ where: { id } });
  if (!job) throw notFound("job", id);
  await requireCertificate(tx, actor.grants, job.certificateId);
  await requireRetryable(tx, job, now);
  await transition(tx, job, "Pending", {
    maxAttempts: job.attempts + (await attemptsOf(tx, job.certificateId)),
    runAfter: now,
    completedAt: null,
    leaseExpiresAt: null,
    ...(job.keyId === ""
      ? {}
      : { csr: null, spkiSha256: null, keyId: nextKeyId(job), issuerId: null, issuerFailures: 0 }),
  });
  await addEvent(tx, job, "retried", `by ${actor.id}`);
  await recordAudit(tx, actor, {
    action: "job_retried",
    resourceType: "job",
    resourceId: id,
    details: { type: job.type, certificate_id: job.certificateId, was: job.status },
  });
  await advance(tx, await tx.job.findUniqueOrThrow({ where: { id } }));
}

async function requireRetryable(tx: Transaction, job: Job, now: Date): Promise<void> {
  if (job.status !== "Failed" && job.status !== "Cancelled")
    throw conflict(
      "JOB_NOT_ENDED",
      `job ${job.id} is ${job.status}; only failed and cancelled jobs are retried`,
    );
  const { id, certificateId, agentId, targetId } = job;
  // A revocation needs neither the agent nor the certificate to be there.
  if (job.type === "Revocation") return;
  // Shared with the job's other steps, not with who archives the certificate or binds it to other targets.
  const live = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM managed_certificates WHERE id = ${certificateId} AND archived_at IS NULL FOR KEY SHARE`;
  if (live.length === 0)
    throw conflict("ARCHIVED", `certificate ${certificateId} is archived; restore it first`);
  if ((await holdAgent(tx, agentId))?.retiredAt)
    throw conflict("AGENT_RETIRED", `agent ${agentId} of job ${id} is retired`);
  if (targetId) await requireDeployable(tx, { ...job, targetId }, now);
}

/** What was right when the job was made may have passed since. */
async function requireDeployable(
  tx: Transaction,
  { id, type, certificateId, targetId, versionId, generation }: Job & { targetId: string },
  now: Date,
): Promise<void> {
  const place = await tx.certificateTarget.findUnique({
    where: { certificateId_targetId: { certificateId, targetId } },
    include: { target: true },
  });
  if (!place)
    throw conflict("NOT_BOUND", `${targetId} is no target of certificate ${certificateId} any more`);
  if (type !== "Deployment") return;
  if (place.target.generation > generation) {
    throw conflict(
      "SUPERSEDED",
      `a newer deployment to target ${targetId} exists; deploy the version again instead`,
    );
  }
  const version = await tx.certificateVersion.findUniqueOrThrow({ where: { id: versionId ?? "" } });
  if (version.revokedAt) throw conflict("REVOKED", `version ${version.id} of job ${id} was revoked`);
  if (version.notAfter <= now)
    throw conflict(
      "EXPIRED",
      `version ${version.id} of job ${id} expired at ${version.notAfter.toISOString()}`,
    );
}

function nextKeyId({ id, keyId }: Job): string {
  const round = Number(/-retry-([0-9]+)$/.exec(keyId)?.[1] ?? 0);
  return `${id}-retry-${round + 1}`;
}
