import { X509Certificate } from "node:crypto";
import { recordAudits, system } from "../audit/record.ts";
import type { Issued } from "../issuers/issuer.ts";
import { addSteps, notifyJobs } from "../jobs/bulk.ts";
import { createDeployment } from "../jobs/create.ts";
import { raiseIssued } from "../notifications/raise-issued.ts";
import type { Database, Transaction } from "../platform/database.ts";
import type { Outcome } from "../platform/group-commit.ts";
import { newId } from "../platform/ids.ts";
import { judgeAll } from "../policies/judge.ts";
import { serialText } from "../x509/certificate.ts";
import { sha256, spkiOf } from "../x509/keys.ts";
import { pem } from "../x509/pem.ts";
import { readCertificate } from "../x509/read-certificate.ts";
import { planRenewal } from "./plan.ts";

/** What an issuer signed for a job. */
export interface Publication {
  job: { id: string; keyId: string; agentId: string; renewalId: string; certificateId: string };
  issued: Issued & { issuerId: string; sans: readonly string[] };
}

/** A job that still wants what was signed for it. */
interface Wanting {
  id: string;
  keyId: string;
  csr: Uint8Array;
  attempts: number;
  windowDays: number;
  isInError: boolean;
}

type Deps = { db: Database; clock: () => Date };
type Version = ReturnType<typeof versionOf>;

/** Publishes one. False: nobody wants the certificate any more. */
export async function publish(deps: Deps, publication: Publication): Promise<boolean> {
  const [outcome] = await publishAll(deps, [publication]);
  if (!outcome) throw new Error("a publication without an outcome");
  if ("error" in outcome) throw outcome.error;
  return outcome.result;
}

/**
 * One transaction: the versions, the jobs' ends, their deployments, the audit rows and the agents' wake-up. What a job does not
 * want any more, because it was cancelled meanwhile, is left out.
 */
export async function publishAll(
  { db, clock }: Deps,
  publications: readonly Publication[],
): Promise<Outcome<boolean>[]> {
  return db.$transaction(async (tx) => {
    const now = clock();
    const { wanting, made } = await lockWanting(tx, publications);
    const versions: Version[] = [];
    const outcomes = publications.map((publication) => {
      const { id, keyId } = publication.job;
      const job = wanting.get(id);
      // A job that was cancelled and is tried again meanwhile goes on with another key.
      if (job && job.keyId === keyId && !made.has(keyId)) versions.push(versionOf(publication, job, now));
      return { result: made.has(keyId) || job?.keyId === keyId };
    });
    if (versions.length > 0) await write(tx, versions, wanting, now);
    return outcomes;
  });
}

/** The jobs that wait for their certificate, locked, and the keys that have theirs already. */
async function lockWanting(
  tx: Transaction,
  publications: readonly Publication[],
): Promise<{ wanting: Map<string, Wanting>; made: Set<string> }> {
  const ids = publications.map(({ job }) => job.id);
  const rows = await tx.$queryRaw<Wanting[]>`
    SELECT j.id, j.key_id AS "keyId", j.csr, j.attempts, p.renewal_window_days AS "windowDays",
      c.last_error <> '' AS "isInError"
    FROM jobs j
    JOIN managed_certificates c ON c.id = j.certificate_id
    JOIN renewal_policies p ON p.id = c.renewal_policy_id
    WHERE j.id = ANY(${ids}::text[]) AND j.status = 'Running' AND j.csr IS NOT NULL
    ORDER BY j.id FOR UPDATE OF j`;
  const keyIds = publications.map(({ job }) => job.keyId);
  const known = await tx.$queryRaw<{ keyId: string }[]>`
    SELECT key_id AS "keyId" FROM certificate_versions WHERE key_id = ANY(${keyIds}::text[])`;
  return {
    wanting: new Map(rows.map((row) => [row.id, row])),
    made: new Set(known.map(({ keyId }) => keyId)),
  };
}

function versionOf({ job, issued }: Publication, { csr, windowDays }: Wanting, now: Date) {
  const { leafDer, chainPem, rootPem } = issued;
  const { serial, notBefore, notAfter } = readCertificate(leafDer);
  return {
    id: newId("cv"),
    certificateId: job.certificateId,
    agentId: job.agentId,
    jobId: job.id,
    keyId: job.keyId,
    renewalId: job.renewalId,
    issuerId: issued.issuerId,
    authorityId: issued.authorityId,
    issuerSpkiSha256: issuerKey(chainPem[0] ?? rootPem).toString("base64"),
    serial: serialText(serial),
    fingerprintSha256: sha256(leafDer).toString("hex"),
    sans: [...issued.sans],
    notBefore,
    notAfter,
    renewAt: planRenewal(notBefore, notAfter, windowDays),
    pemChain: [pem("CERTIFICATE", leafDer), ...chainPem].join(""),
    rootPem: rootPem || (chainPem.at(-1) ?? ""),
    csrPem: pem("CERTIFICATE REQUEST", csr),
    createdAt: now,
  };
}

const mostIssuers = 100;
const issuerKeys = new Map<string, Buffer>();

/** SHA-256 of the public key of an issuer's certificate, PEM: few sign many. */
function issuerKey(certificatePem: string): Buffer {
  const known = issuerKeys.get(certificatePem);
  if (known) return known;
  const hash = sha256(spkiOf(new X509Certificate(certificatePem).publicKey));
  if (issuerKeys.size >= mostIssuers) issuerKeys.clear();
  issuerKeys.set(certificatePem, hash);
  return hash;
}

async function write(
  tx: Transaction,
  versions: readonly Version[],
  wanting: ReadonlyMap<string, Wanting>,
  now: Date,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO certificate_versions (id, certificate_id, agent_id, job_id, key_id, renewal_id, issuer_id, authority_id,
      issuer_spki_sha256, serial, fingerprint_sha256, sans, not_before, not_after, renew_at, pem_chain, root_pem, csr_pem, created_at)
    SELECT id, "certificateId", "agentId", "jobId", "keyId", "renewalId", "issuerId", "authorityId",
      decode("issuerSpkiSha256", 'base64'), serial, "fingerprintSha256", sans, "notBefore", "notAfter", "renewAt", "pemChain",
      "rootPem", "csrPem", "createdAt"
    FROM json_to_recordset(${JSON.stringify(versions)}::json) AS made (id text, "certificateId" text, "agentId" text,
      "jobId" text, "keyId" text, "renewalId" text, "issuerId" text, "authorityId" text, "issuerSpkiSha256" text, serial text,
      "fingerprintSha256" text, sans text[], "notBefore" timestamptz, "notAfter" timestamptz, "renewAt" timestamptz,
      "pemChain" text, "rootPem" text, "csrPem" text, "createdAt" timestamptz)`;
  await addSteps(
    tx,
    versions.map(({ jobId, serial, notAfter }) => ({
      jobId,
      step: "issued",
      message: `serial ${serial}, valid until ${notAfter.toISOString()}`,
      attempt: wanting.get(jobId)?.attempts ?? 0,
    })),
  );
  const jobIds = versions.map(({ jobId }) => jobId);
  const versionIds = versions.map(({ id }) => id);
  await tx.$executeRaw`
    UPDATE jobs SET status = 'Completed', completed_at = ${now}, version_id = made.version_id, error_step = '',
      error_message = '', failure_class = ''
    FROM unnest(${jobIds}::text[], ${versionIds}::text[]) AS made (job_id, version_id) WHERE jobs.id = made.job_id`;
  const mended = versions.filter(({ jobId }) => wanting.get(jobId)?.isInError);
  await clearErrors(
    tx,
    mended.map(({ certificateId }) => certificateId),
  );
  await forgetServerKeys(tx, jobIds);
  await recordAudits(
    tx,
    versions.map(({ id, certificateId, serial, fingerprintSha256 }) => ({
      actor: system,
      action: "certificate_issued",
      resourceType: "certificate",
      resourceId: certificateId,
      details: { version_id: id, serial, fingerprint_sha256: fingerprintSha256 },
    })),
  );
  const certificateIds = versions.map(({ certificateId }) => certificateId);
  await judgeAll(tx, certificateIds, now);
  await raiseIssued(
    tx,
    versions.map(({ id, certificateId, serial, notAfter }) => ({
      versionId: id,
      certificateId,
      serial,
      notAfter,
    })),
    now,
  );
  await deployAll(tx, versions, now);
  await notifyJobs(tx, jobIds);
}

async function clearErrors(tx: Transaction, certificateIds: readonly string[]): Promise<void> {
  if (certificateIds.length === 0) return;
  await tx.$executeRaw`
    UPDATE managed_certificates SET last_error = '' WHERE id = ANY(${[...certificateIds]}::text[]) AND last_error <> ''`;
}

/** Nobody fetches the keys of earlier versions any more. */
async function forgetServerKeys(tx: Transaction, jobIds: readonly string[]): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM server_keys USING jobs earlier, jobs made
    WHERE made.id = ANY(${[...jobIds]}::text[]) AND earlier.certificate_id = made.certificate_id
      AND earlier.agent_id = made.agent_id AND earlier.id <> made.id AND server_keys.job_id = earlier.id`;
}

/** Opens a deployment for each target of the version's own agent. */
async function deployAll(tx: Transaction, versions: readonly Version[], now: Date): Promise<void> {
  const certificateIds = versions.map(({ certificateId }) => certificateId);
  const places = await tx.$queryRaw<{ certificateId: string; id: string; agentId: string }[]>`
    SELECT m.certificate_id AS "certificateId", t.id, t.agent_id AS "agentId"
    FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id AND t.archived_at IS NULL
    WHERE m.certificate_id = ANY(${certificateIds}::text[]) ORDER BY t.id`;
  for (const place of places) {
    const version = versions.find(
      ({ certificateId, agentId }) => certificateId === place.certificateId && agentId === place.agentId,
    );
    if (!version) continue;
    await createDeployment(tx, system, { version, target: place, parentJobId: version.jobId }, now);
  }
}
