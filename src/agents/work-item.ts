import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { type WorkItem, WorkItemSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import { keyAlgorithmWords } from "../certificates/filter-message.ts";
import { acknowledgeWithinMs, type Claimed, leaseTtlMs } from "../jobs/lease.ts";
import { isIssuance } from "../jobs/state.ts";
import type { Database } from "../platform/database.ts";
import { fromPem, pem } from "../x509/pem.ts";

/** Writes out a claimed job for its agent. */
export async function workItem(db: Database, claimed: Claimed): Promise<WorkItem> {
  return create(WorkItemSchema, {
    jobId: claimed.id,
    leaseId: claimed.leaseId,
    attempt: claimed.attempts + 1,
    ackWithinMs: acknowledgeWithinMs,
    leaseTtlMs,
    spec: await spec(db, claimed.id),
  });
}

async function spec(
  db: Database,
  jobId: string,
): Promise<NonNullable<MessageInitShape<typeof WorkItemSchema>["spec"]>> {
  const job = await db.job.findUniqueOrThrow({
    where: { id: jobId },
    include: { certificate: true, target: true, version: true },
  });
  const { certificate, target, version } = job;
  if (isIssuance(job.type)) {
    return {
      case: "generateCsr",
      value: {
        certificateId: certificate.id,
        keyId: job.keyId,
        commonName: certificate.commonName,
        sans: certificate.sans,
        keyAlgorithm: keyAlgorithmWords.value(certificate.keyAlgorithm),
      },
    };
  }
  if (target && job.type === "Validation") {
    const { id: targetId, kind } = target;
    const config = target.config as JsonObject;
    return { case: "observe", value: { certificateId: certificate.id, targetId, kind, config } };
  }
  if (!target || !version) throw new Error(`deployment ${jobId} has no target or version`);
  const [leaf, ...chain] = fromPem("CERTIFICATE", version.pemChain).map((der) => pem("CERTIFICATE", der));
  return {
    case: "deploy",
    value: {
      certificateId: certificate.id,
      versionId: version.id,
      keyId: version.keyId,
      targetId: target.id,
      kind: target.kind,
      config: target.config as JsonObject,
      leafPem: leaf ?? "",
      chainPem: chain,
      rootPem: version.rootPem,
      fingerprintSha256: version.fingerprintSha256,
      sans: version.sans,
      generation: job.generation,
      isKeyOnServer: (await db.serverKey.count({ where: { id: version.keyId } })) > 0,
    },
  };
}
