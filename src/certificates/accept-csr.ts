import type { Actor } from "../audit/record.ts";
import type { AgentPrincipal } from "../auth/principal.ts";
import { type Database, isUniqueViolation } from "../platform/database.ts";
import { conflict, invalid } from "../platform/errors.ts";
import type { Outcome } from "../platform/group-commit.ts";
import { type Csr, CsrError, readCsr } from "../x509/csr.ts";
import { sha256 } from "../x509/keys.ts";
import { fromPem } from "../x509/pem.ts";
import { type AcceptedJob, acceptWithin, keyReused, type Submission } from "./accept-within.ts";

/** Who sends a CSR. */
export interface Submitter {
  principal: AgentPrincipal;
  actor: Actor;
}

/**
 * Takes an agent's CSR for a job under its lease, if it asks for exactly what the certificate is to be, and has it signed. The
 * same CSR again is accepted again, whatever happened to the lease meanwhile. Returns its SHA-256, hexadecimal.
 */
export async function acceptCsr(
  db: Database,
  caller: Submitter,
  request: { jobId: string; leaseId: string; csrPem: string },
): Promise<string> {
  const submission = readSubmission(caller, request);
  const [outcome] = await acceptCsrs(db, [submission], () => false);
  if (outcome && "error" in outcome) throw outcome.error;
  return submission.hash;
}

/** Reads what an agent sent. Throws what is wrong with it by itself. */
export function readSubmission(
  caller: Submitter,
  { jobId, leaseId, csrPem }: { jobId: string; leaseId: string; csrPem: string },
): Submission {
  const csr = parse(csrPem);
  return {
    ...caller,
    jobId,
    leaseId,
    csr,
    hash: sha256(csr.der).toString("hex"),
    spkiSha256: sha256(csr.spki),
  };
}

/**
 * Accepts CSRs in one transaction, each for itself. What `isSignedByCaller` says of an issuer's kind is signed by whoever calls,
 * as soon as it is accepted; for the rest a task is enqueued.
 */
export async function acceptCsrs(
  db: Database,
  submissions: readonly Submission[],
  isSignedByCaller: (issuerKind: string) => boolean,
): Promise<Outcome<AcceptedJob | null>[]> {
  try {
    return await db.$transaction((tx) => acceptWithin(tx, submissions, isSignedByCaller));
  } catch (error) {
    if (isUniqueViolation(error, "spki") && submissions.length === 1) throw keyReused();
    throw error;
  }
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
