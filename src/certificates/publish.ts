import { X509Certificate } from "node:crypto";
import type { Job, ManagedCertificate } from "#gen/prisma/client.ts";
import { recordAudit, system } from "../audit/record.ts";
import type { Issued } from "../issuers/issuer.ts";
import { createDeployment } from "../jobs/create.ts";
import { lockJob } from "../jobs/lease.ts";
import { addEvent, transition } from "../jobs/transition.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { judge } from "../policies/judge.ts";
import { sha256, spkiOf } from "../x509/keys.ts";
import { pem } from "../x509/pem.ts";
import { planRenewal } from "./plan.ts";

/**
 * One transaction: the version, the job's end, its deployments, the audit row and the agents' wake-up. False: nobody wants the
 * certificate any more.
 */
export async function publish(
  deps: { db: Database; clock: () => Date },
  { id: jobId, keyId, agentId, renewalId }: Job,
  certificate: ManagedCertificate,
  issued: Issued & { issuerId: string; sans: string[] },
): Promise<boolean> {
  const { db, clock } = deps;
  const leaf = new X509Certificate(issued.leafDer);
  const issuerPem = issued.chainPem[0] ?? issued.rootPem;
  return db.$transaction(async (tx) => {
    const now = clock();
    const job = await lockJob(tx, jobId, agentId);
    // A job that was cancelled and is tried again meanwhile goes on with another key.
    const made = await tx.certificateVersion.count({ where: { keyId } });
    if (made > 0) return true;
    if (job.status !== "Running" || !job.csr || job.keyId !== keyId) return false;
    const policy = await tx.renewalPolicy.findUniqueOrThrow({ where: { id: certificate.renewalPolicyId } });
    const version = await tx.certificateVersion.create({
      data: {
        id: newId("cv"),
        certificateId: certificate.id,
        agentId,
        jobId,
        keyId,
        renewalId,
        issuerId: issued.issuerId,
        authorityId: issued.authorityId,
        issuerSpkiSha256: new Uint8Array(sha256(spkiOf(new X509Certificate(issuerPem).publicKey))),
        serial: leaf.serialNumber.toUpperCase(),
        fingerprintSha256: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
        sans: issued.sans,
        notBefore: new Date(leaf.validFrom),
        notAfter: new Date(leaf.validTo),
        renewAt: planRenewal(new Date(leaf.validFrom), new Date(leaf.validTo), policy.renewalWindowDays),
        pemChain: [pem("CERTIFICATE", issued.leafDer), ...issued.chainPem].join(""),
        rootPem: issued.rootPem || (issued.chainPem.at(-1) ?? ""),
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
    return true;
  });
}
