import { createPrivateKey } from "node:crypto";
import { type Actor, recordAudit } from "../audit/record.ts";
import { requireInForce } from "../auth/authenticate.ts";
import type { AgentPrincipal } from "../auth/principal.ts";
import { lockJob, requireLease } from "../jobs/lease.ts";
import type { Database } from "../platform/database.ts";
import { conflict, denied, notFound } from "../platform/errors.ts";
import type { Sealer } from "../platform/seal.ts";
import { serverKeyPlace } from "./make.ts";

/**
 * Hands the key of a deployment to the agent that holds its live lease. The same lease may ask again, for an answer that
 * was lost on the way; another may not. Returns PKCS #8, PEM.
 */
export async function fetchServerKey(
  { db, sealer }: { db: Database; sealer: Sealer },
  { principal, actor }: { principal: AgentPrincipal; actor: Actor },
  request: { jobId: string; leaseId: string },
): Promise<string> {
  const { jobId, leaseId } = request;
  if (principal.credential.kind !== "certificate")
    throw denied("a private key is handed out over mutual TLS only: have the agent join by a token");
  return db.$transaction(async (tx) => {
    await requireInForce(tx, principal);
    const job = await lockJob(tx, jobId, principal.id);
    requireLease(job, leaseId);
    if (job.type !== "Deployment" || !job.versionId)
      throw conflict("NO_DEPLOYMENT", `job ${jobId} deploys nothing`);
    const { keyId } = await tx.certificateVersion.findUniqueOrThrow({ where: { id: job.versionId } });
    await tx.$queryRaw`SELECT id FROM server_keys WHERE id = ${keyId} FOR UPDATE`;
    const key = await tx.serverKey.findUnique({ where: { id: keyId } });
    if (!key) throw notFound("key", keyId);
    if (key.leaseId && key.leaseId !== leaseId)
      throw conflict("KEY_FETCHED", `key ${keyId} was handed out already; renew the certificate`);
    await tx.serverKey.update({ where: { id: keyId }, data: { leaseId } });
    await recordAudit(tx, actor, {
      action: "server_key_fetched",
      resourceType: "job",
      resourceId: jobId,
      details: { key_id: keyId },
    });
    const pkcs8 = sealer.open(serverKeyPlace(keyId), key.sealedKey);
    return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })
      .export({ type: "pkcs8", format: "pem" })
      .toString();
  });
}
