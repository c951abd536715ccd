import type { KeyObject } from "node:crypto";
import { recordAudit, system } from "../audit/record.ts";
import { lockJob } from "../jobs/lease.ts";
import { enqueue } from "../jobs/queue.ts";
import { failAttempt } from "../jobs/retry.ts";
import { addEvent, transition } from "../jobs/transition.ts";
import type { Database, Transaction } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";
import { makeCsr } from "../x509/csr.ts";
import { sha256, spkiOf } from "../x509/keys.ts";
import { parseSan } from "../x509/names.ts";
import { newKey } from "../x509/new-key.ts";

/** The only kind of issuer that signs for keys of the control plane: a demonstration asks no real CA. */
const demoIssuerKind = "local-ca";

export const serverKeyPlace = (id: string) => ({ table: "server_keys", id, field: "sealed_key" });

/**
 * Makes the key of an issuance and its CSR in the control plane, and has it signed: for demonstrations. The key is sealed
 * in the database until the agent has it. Done twice, it makes one key.
 */
export async function makeServerKey(
  deps: { db: Database; sealer: Sealer; clock: () => Date },
  jobId: string,
): Promise<void> {
  const { db, clock } = deps;
  const include = { certificate: { include: { issuer: true } } } as const;
  const job = await db.job.findUnique({ where: { id: jobId }, include });
  if (job?.status !== "Pending" || job.csr || job.runAfter > clock()) return;
  const { certificate, keyId } = job;
  const isDemo = certificate.issuer.kind === demoIssuerKind;
  const key = isDemo ? await newKey(certificate.keyAlgorithm) : null;
  await db.$transaction(async (tx) => {
    const locked = await lockJob(tx, jobId, job.agentId);
    if (locked.status !== "Pending" || locked.csr || locked.keyId !== keyId) return;
    if (!key) {
      const message = `keys of the control plane are signed by the kind ${demoIssuerKind} only, not by ${certificate.issuer.kind}`;
      await failAttempt(tx, system, locked, { step: "key", message, failureClass: "Configuration" }, clock());
      return;
    }
    const csr = makeCsr(key, certificate.commonName, certificate.sans.map(parseSan));
    await keep(tx, deps.sealer, { jobId, keyId, key });
    await transition(tx, locked, "Running", {
      attempts: { increment: 1 },
      csr: new Uint8Array(csr),
      spkiSha256: new Uint8Array(sha256(spkiOf(key))),
    });
    await addEvent(tx, locked, "key_generated", `${certificate.keyAlgorithm}, by the control plane`);
    await enqueue(tx, "issue", jobId);
    await recordAudit(tx, system, {
      action: "server_key_generated",
      resourceType: "job",
      resourceId: jobId,
      details: { certificate_id: certificate.id, key_id: keyId },
    });
  });
}

async function keep(
  tx: Transaction,
  sealer: Sealer,
  { jobId, keyId, key }: { jobId: string; keyId: string; key: KeyObject },
): Promise<void> {
  await tx.serverKey.deleteMany({ where: { jobId } });
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const sealedKey = new Uint8Array(sealer.seal(serverKeyPlace(keyId), pkcs8));
  await tx.serverKey.create({ data: { id: keyId, jobId, sealedKey } });
}
