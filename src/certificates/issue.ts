import { X509Certificate } from "node:crypto";
import type { Job, ManagedCertificate } from "#gen/prisma/client.ts";
import { recordAudit, system } from "../audit/record.ts";
import type { Authorities } from "../authorities/authority.ts";
import { type Issued, IssuerError } from "../issuers/issuer.ts";
import { type IssuerKinds, openConfig } from "../issuers/manage.ts";
import { recordIssuance } from "../issuers/record.ts";
import { createDeployment } from "../jobs/create.ts";
import { lockJob } from "../jobs/lease.ts";
import { type AttemptFailure, failAttempt } from "../jobs/retry.ts";
import { addEvent, transition } from "../jobs/transition.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Log } from "../platform/log.ts";
import type { Sealer } from "../platform/seal.ts";
import { judge } from "../policies/judge.ts";
import { readCsr } from "../x509/csr.ts";
import { pem } from "../x509/pem.ts";
import { planRenewal } from "./plan.ts";

export interface IssueDeps {
  db: Database;
  sealer: Sealer;
  issuerKinds: IssuerKinds;
  authorities: Authorities;
  clock: () => Date;
  log: Log;
}

/**
 * Has the accepted CSR of a job signed and publishes the certificate. Done twice, or again after a crash at any point, it
 * makes one certificate.
 */
export async function issue(deps: IssueDeps, jobId: string, signal: AbortSignal): Promise<void> {
  const { db, sealer, issuerKinds, authorities, clock, log } = deps;
  const job = await db.job.findUnique({
    where: { id: jobId },
    include: { certificate: { include: { issuer: true } } },
  });
  if (job?.status !== "Running" || !job.csr) return;
  const { certificate } = job;
  const issuer = issuerKinds.get(certificate.issuer.kind);
  try {
    if (!issuer)
      throw new IssuerError(
        "issuer",
        `this server knows no issuer of the kind ${certificate.issuer.kind}`,
        "Configuration",
      );
    if (!certificate.issuer.enabled)
      throw new IssuerError("issuer", `issuer ${certificate.issuerId} is disabled`, "Configuration");
    // As the agent asked and was granted: names that have changed since take effect at the next issuance.
    const sans = readCsr(Buffer.from(job.csr)).sans.map(({ value }) => value);
    const request = {
      keyId: job.keyId,
      commonName: sans.includes(certificate.commonName) ? certificate.commonName : "",
      sans,
      csr: Buffer.from(job.csr),
      validitySeconds: certificate.validitySeconds,
      now: clock(),
    };
    const issued = await issuer.issue(request, openConfig(sealer, certificate.issuer), {
      signal,
      issuingCa: authorities.byRole["issuing-ca"],
      record: (keyId, next) => recordIssuance(db, { jobId, keyId }, next),
    });
    await publish(deps, job, certificate, { ...issued, sans });
  } catch (error) {
    if (signal.aborted) return;
    log.warn({ err: error, jobId }, "an issuance failed");
    await fail(deps, job, failureOf(error));
  }
}

/** One transaction: the version, the job's end, its deployments, the audit row and the agents' wake-up. */
async function publish(
  deps: IssueDeps,
  { id: jobId, keyId, agentId, renewalId }: Job,
  certificate: ManagedCertificate,
  issued: Issued & { sans: string[] },
): Promise<void> {
  const { db, clock } = deps;
  const leaf = new X509Certificate(issued.leafDer);
  await db.$transaction(async (tx) => {
    const now = clock();
    const job = await lockJob(tx, jobId, agentId);
    // A job that was cancelled and is tried again meanwhile goes on with another key.
    if (job.status !== "Running" || !job.csr || job.keyId !== keyId) return;
    const policy = await tx.renewalPolicy.findUniqueOrThrow({ where: { id: certificate.renewalPolicyId } });
    const version = await tx.certificateVersion.create({
      data: {
        id: newId("cv"),
        certificateId: certificate.id,
        agentId,
        jobId,
        keyId,
        renewalId,
        issuerId: certificate.issuerId,
        authorityId: issued.authorityId,
        serial: leaf.serialNumber.toUpperCase(),
        fingerprintSha256: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
        sans: issued.sans,
        notBefore: new Date(leaf.validFrom),
        notAfter: new Date(leaf.validTo),
        renewAt: planRenewal(new Date(leaf.validFrom), new Date(leaf.validTo), policy.renewalWindowDays),
        pemChain: [pem("CERTIFICATE", issued.leafDer), ...issued.chainPem].join(""),
        rootPem: issued.rootPem,
        csrPem: pem("CERTIFICATE REQUEST", job.csr),
        createdAt: now,
      },
    });
    await addEvent(
      tx,
      job,
      "issued",
      `serial ${version.serial}, valid until ${version.notAfter.toISOString()}`,
    );
    await transition(tx, job, "Completed", {
      completedAt: now,
      versionId: version.id,
      errorStep: "",
      errorMessage: "",
      failureClass: "",
    });
    await tx.managedCertificate.update({ where: { id: certificate.id }, data: { lastError: "" } });
    const targets = await tx.target.findMany({
      where: { agentId, archivedAt: null, certificates: { some: { certificateId: certificate.id } } },
      orderBy: { id: "asc" },
    });
    // Nobody fetches the keys of earlier versions any more.
    const earlier = { certificateId: certificate.id, agentId, id: { not: jobId } };
    await tx.serverKey.deleteMany({ where: { job: earlier } });
    const details = {
      version_id: version.id,
      serial: version.serial,
      fingerprint_sha256: version.fingerprintSha256,
    };
    await recordAudit(tx, system, {
      action: "certificate_issued",
      resourceType: "certificate",
      resourceId: certificate.id,
      details,
    });
    await judge(tx, certificate.id, now);
    const { id: versionId, serial, notAfter } = version;
    await raiseEvent(
      tx,
      { type: "CertificateIssued", certificateId: certificate.id, versionId, serial, notAfter },
      now,
    );
    for (const target of targets)
      await createDeployment(tx, system, { version, target, parentJobId: jobId }, now);
  });
}

function failureOf(error: unknown): AttemptFailure {
  if (error instanceof IssuerError) {
    const { step, message, failureClass, retryAfterMs } = error;
    return { step, message, failureClass, retryAfterMs };
  }
  const message = "internal error while signing; the server's log has it";
  return { step: "sign", message, failureClass: "Internal" };
}

async function fail(
  { db, clock }: IssueDeps,
  { id, agentId, keyId }: Job,
  failure: AttemptFailure,
): Promise<void> {
  await db.$transaction(async (tx: Transaction) => {
    const job = await lockJob(tx, id, agentId);
    if (job.status !== "Running" || job.keyId !== keyId) return;
    await failAttempt(tx, system, job, failure, clock());
  });
}
