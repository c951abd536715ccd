import { type Actor, recordAudit } from "../audit/record.ts";
import { requireInForce } from "../auth/authenticate.ts";
import type { AgentPrincipal } from "../auth/principal.ts";
import { lockJob, offerRoom, requireLease, takeUp } from "../jobs/lease.ts";
import { enqueue } from "../jobs/queue.ts";
import { addEvent, transition } from "../jobs/transition.ts";
import { type Database, isUniqueViolation, type Transaction } from "../platform/database.ts";
import { conflict, invalid } from "../platform/errors.ts";
import { type Csr, CsrError, matchCsr, readCsr } from "../x509/csr.ts";
import { sha256 } from "../x509/keys.ts";
import { fromPem } from "../x509/pem.ts";

/**
 * Takes an agent's CSR for a job under its lease, if it asks for exactly what the certificate is to be. The same CSR
 * again is accepted again, whatever happened to the lease meanwhile. Returns its SHA-256, hexadecimal.
 */
export async function acceptCsr(
  db: Database,
  caller: { principal: AgentPrincipal; actor: Actor },
  request: { jobId: string; leaseId: string; csrPem: string },
): Promise<string> {
  const { principal, actor } = caller;
  const csr = parse(request.csrPem);
  const hash = sha256(csr.der).toString("hex");
  try {
    await db.$transaction(async (tx) => {
      await requireInForce(tx, principal);
      const locked = await lockJob(tx, request.jobId, principal.id);
      if (locked.csr) return requireSame(hash, locked.csr);
      requireLease(locked, request.leaseId);
      if (locked.status !== "AwaitingCSR") throw conflict("NO_CSR_AWAITED", `job ${locked.id} awaits no CSR`);
      const certificate = await tx.managedCertificate.findUniqueOrThrow({
        where: { id: locked.certificateId },
      });
      refusing(() => matchCsr(csr, certificate));
      await requireFreshKey(tx, csr);
      const job = await takeUp(tx, locked);
      await transition(tx, job, "Running", {
        csr: new Uint8Array(csr.der),
        spkiSha256: new Uint8Array(sha256(csr.spki)),
        leaseExpiresAt: null,
        resultLeaseId: job.leaseId,
      });
      await addEvent(tx, job, "csr_accepted", `SHA-256 ${hash}`);
      await enqueue(tx, "issue", job.id);
      await offerRoom(tx, principal.id);
      await recordAudit(tx, actor, {
        action: "csr_accepted",
        resourceType: "job",
        resourceId: job.id,
        details: { certificate_id: job.certificateId, csr_sha256: hash },
      });
    });
  } catch (error) {
    if (isUniqueViolation(error, "spki")) throw keyReused();
    throw error;
  }
  return hash;
}

function parse(csrPem: string): Csr {
  const [der, second] = fromPem("CERTIFICATE REQUEST", csrPem);
  if (!der || second)
    throw invalid({ field: "csr_pem", description: "must be one PEM block CERTIFICATE REQUEST" });
  return refusing(() => readCsr(der));
}

function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CsrError)
      throw conflict("CSR_MISMATCH", error.message, [{ field: "csr_pem", description: error.message }]);
    throw error;
  }
}

function requireSame(hash: string, accepted: Uint8Array): void {
  const before = sha256(accepted).toString("hex");
  if (before !== hash)
    throw conflict("CSR_EXISTS", `another CSR was accepted for this job: SHA-256 ${before}`);
}

/** A key has one use: not another job's, not an agent's identity, not a CA's; and none that is blocked. */
async function requireFreshKey(tx: Transaction, csr: Csr): Promise<void> {
  const spki = sha256(csr.spki);
  const uses = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM jobs WHERE spki_sha256 = ${spki}
    UNION ALL SELECT 1 FROM agent_identities WHERE spki_sha256 = ${spki}
    UNION ALL SELECT 1 FROM authorities WHERE spki_sha256 = ${spki}
    UNION ALL SELECT 1 FROM blocked_keys WHERE spki_sha256 = ${spki}`;
  if (uses.length > 0) throw keyReused();
}

function keyReused() {
  return conflict("KEY_REUSED", "the CSR's key was used already, or is blocked; make a new one", [
    { field: "csr_pem", description: "must be made with a new key" },
  ]);
}
