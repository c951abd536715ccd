import { type Actor, recordAudits } from "../audit/record.ts";
import { refusalsOf } from "../auth/authenticate.ts";
import type { AgentPrincipal } from "../auth/principal.ts";
import { addSteps, notifyJobs, type Step } from "../jobs/bulk.ts";
import { leaseLost } from "../jobs/lease.ts";
import { enqueueAll } from "../jobs/queue.ts";
import type { Transaction } from "../platform/database.ts";
import { conflict, notFound } from "../platform/errors.ts";
import type { Outcome } from "../platform/group-commit.ts";
import { type Csr, CsrError, matchCsr } from "../x509/csr.ts";
import { sha256 } from "../x509/keys.ts";

/** A CSR as it was sent. */
export interface Submission {
  principal: AgentPrincipal;
  actor: Actor;
  jobId: string;
  leaseId: string;
  csr: Csr;
  /** SHA-256 of the CSR, hexadecimal. */
  hash: string;
  spkiSha256: Buffer;
}

/** A job whose CSR was accepted just now, as signing needs it. */
export interface AcceptedJob {
  id: string;
  certificateId: string;
  agentId: string;
  keyId: string;
  renewalId: string;
  commonName: string;
  validitySeconds: number;
  parentJobId: string | null;
  status: string;
  attempts: number;
  issuer: { id: string; kind: string; config: unknown; enabled: boolean };
}

interface JobRow extends AcceptedJob {
  leaseId: string | null;
  isLive: boolean;
  isTakenUp: boolean;
  csr: Uint8Array | null;
  sans: string[];
  keyAlgorithm: string;
}

/** What `acceptCsrs` does, as part of a transaction. Null: it was accepted before. */
export async function acceptWithin(
  tx: Transaction,
  submissions: readonly Submission[],
  isSignedByCaller: (issuerKind: string) => boolean,
): Promise<Outcome<AcceptedJob | null>[]> {
  const refusals = await refusalsOf(
    tx,
    submissions.map(({ principal }) => principal),
  );
  const rows = await lockJobs(
    tx,
    submissions.map(({ jobId }) => jobId),
  );
  const taken = await keysInUse(
    tx,
    submissions.map(({ spkiSha256 }) => spkiSha256),
  );
  const accepted: { submission: Submission; row: JobRow }[] = [];
  const outcomes = submissions.map((submission, index): Outcome<AcceptedJob | null> => {
    const refusal = refusals[index];
    if (refusal) return { error: refusal };
    try {
      const row = rows.get(submission.jobId);
      if (!row) throw notFound("job", submission.jobId);
      if (isAccepted(row, submission)) return { result: null };
      requireFitting(row, submission);
      const key = submission.spkiSha256.toString("hex");
      if (taken.has(key)) throw keyReused();
      taken.add(key);
      rows.set(row.id, { ...row, status: "Running", csr: submission.csr.der });
      accepted.push({ submission, row });
      return { result: row };
    } catch (error) {
      return { error };
    }
  });
  if (accepted.length > 0) await write(tx, accepted, isSignedByCaller);
  return outcomes;
}

export function keyReused() {
  return conflict("KEY_REUSED", "the CSR's key was used already, or is blocked; make a new one", [
    { field: "csr_pem", description: "must be made with a new key" },
  ]);
}

async function lockJobs(tx: Transaction, ids: readonly string[]): Promise<Map<string, JobRow>> {
  const rows = await tx.$queryRaw<JobRow[]>`
    SELECT j.id, j.status, j.certificate_id AS "certificateId", j.agent_id AS "agentId", j.key_id AS "keyId",
      j.renewal_id AS "renewalId", j.lease_id AS "leaseId", j.csr, j.attempts,
      coalesce(j.lease_expires_at > now(), false) AS "isLive", j.acknowledged_at IS NOT NULL AS "isTakenUp",
      c.common_name AS "commonName", c.sans, c.key_algorithm AS "keyAlgorithm", c.validity_seconds AS "validitySeconds",
      j.parent_job_id AS "parentJobId",
      json_build_object('id', i.id, 'kind', i.kind, 'config', i.config, 'enabled', i.enabled) AS issuer
    FROM jobs j
    JOIN managed_certificates c ON c.id = j.certificate_id
    JOIN issuers i ON i.id = coalesce(j.issuer_id, c.issuer_id)
    WHERE j.id = ANY(${[...ids]}::text[]) ORDER BY j.id FOR UPDATE OF j`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** Whether exactly this CSR was accepted before. Throws for another one. */
function isAccepted(row: JobRow, { principal, hash }: Submission): boolean {
  if (row.agentId !== principal.id) throw leaseLost(row.id);
  if (!row.csr) return false;
  const before = sha256(row.csr).toString("hex");
  if (before === hash) return true;
  throw conflict("CSR_EXISTS", `another CSR was accepted for this job: SHA-256 ${before}`);
}

function requireFitting(row: JobRow, { leaseId, csr }: Submission): void {
  // An empty lease stands for the one that the agent holds.
  const isHolder = leaseId === "" ? row.leaseId !== null : row.leaseId === leaseId;
  if (!isHolder || !row.isLive) throw leaseLost(row.id);
  if (row.status !== "AwaitingCSR") throw conflict("NO_CSR_AWAITED", `job ${row.id} awaits no CSR`);
  try {
    matchCsr(csr, row);
  } catch (error) {
    if (!(error instanceof CsrError)) throw error;
    throw conflict("CSR_MISMATCH", error.message, [{ field: "csr_pem", description: error.message }]);
  }
}

/**
 * A key has one use: not another job's, an agent's identity's, a CA's or a recovered certificate's; and none that is blocked.
 * Hexadecimal hashes.
 */
async function keysInUse(tx: Transaction, hashes: readonly Buffer[]): Promise<Set<string>> {
  const wanted = hashes.map((hash) => hash.toString("hex"));
  const rows = await tx.$queryRaw<{ key: string }[]>`
    WITH wanted AS MATERIALIZED (SELECT decode(hex, 'hex') AS spki FROM unnest(${wanted}::text[]) AS hex)
    SELECT encode(spki, 'hex') AS key FROM wanted WHERE
      EXISTS (SELECT 1 FROM jobs WHERE spki_sha256 = spki)
      OR EXISTS (SELECT 1 FROM agent_identities WHERE spki_sha256 = spki)
      OR EXISTS (SELECT 1 FROM authorities WHERE spki_sha256 = spki)
      OR EXISTS (SELECT 1 FROM recovered_certificates WHERE spki_sha256 = spki)
      OR EXISTS (SELECT 1 FROM blocked_keys WHERE spki_sha256 = spki)`;
  return new Set(rows.map(({ key }) => key));
}

async function write(
  tx: Transaction,
  accepted: readonly { submission: Submission; row: JobRow }[],
  isSignedByCaller: (issuerKind: string) => boolean,
): Promise<void> {
  const ids = accepted.map(({ row }) => row.id);
  const rows = accepted.map(({ row, submission }) => ({
    id: row.id,
    csr: submission.csr.der.toString("base64"),
    spki: submission.spkiSha256.toString("base64"),
  }));
  // The first sign of the agent's work takes the job up: that is the attempt.
  await tx.$executeRaw`
    UPDATE jobs SET status = 'Running', csr = decode(sent.csr, 'base64'), spki_sha256 = decode(sent.spki, 'base64'),
      attempts = attempts + (acknowledged_at IS NULL)::int, acknowledged_at = coalesce(acknowledged_at, now()),
      started_at = coalesce(started_at, now()), lease_expires_at = NULL, result_lease_id = lease_id
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS sent (id text, csr text, spki text)
    WHERE jobs.id = sent.id`;
  await addSteps(tx, accepted.flatMap(stepsOf));
  await recordAudits(
    tx,
    accepted.map(({ row, submission: { actor, hash } }) => ({
      actor,
      action: "csr_accepted",
      resourceType: "job",
      resourceId: row.id,
      details: { certificate_id: row.certificateId, csr_sha256: hash },
    })),
  );
  const tasks = accepted.filter(({ row }) => !isSignedByCaller(row.issuer.kind)).map(({ row }) => row.id);
  await enqueueAll(tx, "issue", tasks);
  // A lease has ended: the agent has room for what else waits.
  const agentIds = [...new Set(accepted.map(({ row }) => row.agentId))];
  await tx.$executeRaw`
    SELECT pg_notify('certctl_work', agent) FROM unnest(${agentIds}::text[]) AS agent WHERE EXISTS (
      SELECT 1 FROM jobs WHERE agent_id = agent AND status IN ('AwaitingCSR', 'Pending') AND lease_expires_at IS NULL)`;
  await notifyJobs(tx, ids);
}

function stepsOf({ row, submission }: { row: JobRow; submission: Submission }): Step[] {
  const attempt = row.isTakenUp ? row.attempts : row.attempts + 1;
  const said = (step: string, message: string) => ({ jobId: row.id, step, message, attempt });
  return [
    ...(row.isTakenUp ? [] : [said("accepted", `by ${row.agentId}`)]),
    said("csr_accepted", `SHA-256 ${submission.hash}`),
  ];
}
