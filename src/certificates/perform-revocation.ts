import { recordAudit, system } from "../audit/record.ts";
import { IssuerError, type RevocationReason } from "../issuers/issuer.ts";
import { type IssuerKinds, openConfig } from "../issuers/manage.ts";
import { issuerTools, type ToolDeps } from "../issuers/tools.ts";
import { cancelWithin } from "../jobs/cancel.ts";
import { lockJob } from "../jobs/lease.ts";
import { failAttempt } from "../jobs/retry.ts";
import { openStatuses } from "../jobs/state.ts";
import { addEvent, transition } from "../jobs/transition.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Transaction } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";
import { dueCertificates } from "../renewals/due.ts";
import { announceRevocation } from "../revocation/revoked.ts";
import { attemptFailure } from "./failure.ts";
import { openRenewal } from "./renew.ts";
import { signedCertificate } from "./signed.ts";

export interface RevocationDeps extends ToolDeps {
  issuerKinds: IssuerKinds;
  log: Log;
}

/**
 * Has the issuer revoke what a revocation job names, and notes that it did. Done twice, or again after a crash at any point, it
 * revokes once.
 */
export async function performRevocation(
  deps: RevocationDeps,
  jobId: string,
  signal: AbortSignal,
): Promise<void> {
  const { db, sealer, issuerKinds, clock, log } = deps;
  if (!(await begin(deps, jobId))) return;
  const job = await db.job.findUniqueOrThrow({
    where: { id: jobId },
    include: { version: { include: { issuer: true } } },
  });
  const { version } = job;
  try {
    if (!version) throw new Error(`revocation ${jobId} names no version`);
    const { issuer: row, serial, authorityId, issuerId } = version;
    const issuer = issuerKinds.get(row.kind);
    if (!issuer?.revoke)
      throw new IssuerError("revoke", `issuer ${issuerId} (${row.kind}) cannot revoke`, "Configuration");
    const reason = job.revocationReason as RevocationReason;
    const request = { ...signedCertificate(version), serial, reason, authorityId, now: clock() };
    const tools = issuerTools(deps, issuerId, signal);
    await issuer.revoke(request, openConfig(sealer, row), tools);
    await db.$transaction((tx) => complete(tx, deps, jobId));
    await replace(deps, job.certificateId);
  } catch (error) {
    if (signal.aborted) return;
    log.warn({ err: error, jobId }, "a revocation failed");
    await db.$transaction(async (tx) => {
      const locked = await lockJob(tx, jobId, job.agentId);
      if (locked.status === "Running")
        await failAttempt(tx, system, locked, attemptFailure(error, "revoke"), clock());
    });
  }
}

/** What is revoked is renewed at once, where its policy renews; the checker tries again what is refused now. */
async function replace({ db, clock, log }: RevocationDeps, certificateId: string): Promise<void> {
  try {
    await db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM managed_certificates WHERE id = ${certificateId} FOR UPDATE`;
      const now = clock();
      const [due] = await dueCertificates(tx, now, certificateId);
      if (due?.isRevoked) await openRenewal(tx, system, certificateId, { now });
    });
  } catch (error) {
    log.warn({ err: error, certificateId }, "a revoked certificate could not be renewed at once");
  }
}

/** Takes the job up; true also for one that was taken up by a process that is gone. */
async function begin({ db, clock }: RevocationDeps, jobId: string): Promise<boolean> {
  return db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM jobs WHERE id = ${jobId} FOR UPDATE`;
    const job = await tx.job.findUnique({ where: { id: jobId } });
    if (job?.type !== "Revocation") return false;
    if (job.status === "Running") return true;
    const now = clock();
    if (job.status !== "Pending" || job.runAfter > now) return false;
    const attempts = job.attempts + 1;
    await transition(tx, job, "Running", { attempts, startedAt: job.startedAt ?? now });
    await addEvent(tx, { ...job, attempts }, "revoking", `at issuer, for ${job.revocationReason}`);
    return true;
  });
}

/** One transaction: the version, the job's end, what is to deploy it, and who is told. */
async function complete(tx: Transaction, deps: RevocationDeps, jobId: string): Promise<void> {
  const now = deps.clock();
  await tx.$queryRaw`SELECT 1 FROM jobs WHERE id = ${jobId} FOR UPDATE`;
  const job = await tx.job.findUniqueOrThrow({ where: { id: jobId } });
  const { versionId, certificateId, revocationReason } = job;
  if (!versionId) return;
  // Whatever became of the job meanwhile, the CA did it.
  const { count } = await tx.certificateVersion.updateMany({
    where: { id: versionId, revokedAt: null },
    data: { revokedAt: now, revocationReason },
  });
  if (job.status === "Running") {
    await addEvent(tx, job, "revoked", revocationReason);
    const clean = { errorStep: "", errorMessage: "", failureClass: "" };
    await transition(tx, job, "Completed", { completedAt: now, ...clean });
  }
  if (count === 0) return;
  const version = await tx.certificateVersion.findUniqueOrThrow({ where: { id: versionId } });
  await announceRevocation(tx, deps, version, now);
  await recordAudit(tx, system, {
    action: "certificate_revoked",
    resourceType: "certificate",
    resourceId: certificateId,
    details: { version_id: versionId, serial: version.serial, reason: revocationReason, job_id: jobId },
  });
  const deployments = { type: "Deployment", versionId, status: { in: [...openStatuses] } };
  for (const { id } of await tx.job.findMany({ where: deployments, select: { id: true } }))
    await cancelWithin(tx, system, id, now);
  const event = {
    type: "CertificateRevoked",
    certificateId,
    versionId,
    serial: version.serial,
    reason: revocationReason,
  } as const;
  await raiseEvent(tx, event, now);
}
