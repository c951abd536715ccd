import { X509Certificate } from "node:crypto";
import type { Issuer as IssuerRow, Job } from "#gen/prisma/client.ts";
import { recordAudit, system } from "../audit/record.ts";
import type { Issued, Issuer } from "../issuers/issuer.ts";
import { openConfig } from "../issuers/manage.ts";
import { issuerTools, type ToolDeps } from "../issuers/tools.ts";
import { addEvent, notifyChange } from "../jobs/transition.ts";
import type { Log } from "../platform/log.ts";
import { pem } from "../x509/pem.ts";
import { signedCertificate } from "./signed.ts";

export interface DiscardDeps extends ToolDeps {
  log: Log;
}

/**
 * A certificate that another's CA signed for a job which was cancelled meanwhile: it is written down, so that it is known of, and
 * revoked where the issuer can. Nothing deploys it.
 */
export async function discard(
  deps: DiscardDeps,
  job: Job,
  { issuer, row, issued }: { issuer: Issuer; row: IssuerRow; issued: Issued },
  signal: AbortSignal,
): Promise<void> {
  const { db, sealer, clock, log } = deps;
  const certificate = pem("CERTIFICATE", issued.leafDer);
  const serial = new X509Certificate(issued.leafDer).serialNumber.toUpperCase();
  const { authorityId, chainPem, rootPem } = issued;
  const signed = signedCertificate({ pemChain: [certificate, ...chainPem].join(""), rootPem });
  const request = { ...signed, serial, authorityId, reason: "CessationOfOperation", now: clock() } as const;
  const tools = issuerTools(deps, row.id, signal);
  const outcome = issuer.revoke
    ? await issuer.revoke(request, openConfig(sealer, row), tools).then(
        () => "revoked",
        (error: unknown) => {
          log.warn({ err: error, jobId: job.id, serial }, "an unwanted certificate could not be revoked");
          return "not revoked: the issuer refused";
        },
      )
    : "not revoked: the issuer cannot";
  await db.$transaction(async (tx) => {
    await addEvent(tx, job, "discarded", `serial ${serial}, signed after the job had ended; ${outcome}`);
    await recordAudit(tx, system, {
      action: "certificate_discarded",
      resourceType: "certificate",
      resourceId: job.certificateId,
      details: { job_id: job.id, issuer_id: row.id, serial, outcome, certificate },
    });
    await notifyChange(tx, job);
  });
}
