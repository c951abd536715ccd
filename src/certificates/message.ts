import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Certificate, CertificateSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { timestamps } from "../platform/timestamps.ts";
import { keyAlgorithmWords, scheduleWords, statusWords } from "./filter-message.ts";
import type { CertificateView } from "./view.ts";

/** A certificate as the API shows it. */
export function certificateMessage(view: CertificateView): Certificate {
  return create(CertificateSchema, {
    id: view.id,
    name: view.name,
    commonName: view.commonName,
    sans: view.sans,
    environment: view.environment,
    ownerId: view.ownerId ?? "",
    teamId: view.teamId ?? "",
    issuerId: view.issuerId,
    renewalPolicyId: view.renewalPolicyId,
    tags: view.tags,
    agentId: view.agentId ?? "",
    targetIds: view.targetIds,
    keyAlgorithm: keyAlgorithmWords.value(view.keyAlgorithm),
    validitySeconds: view.validitySeconds,
    status: statusWords.value(view.status),
    schedule: scheduleWords.value(view.schedule),
    serialNumber: view.serial ?? "",
    fingerprintSha256: view.fingerprint ?? "",
    activeJobId: view.activeJobId ?? "",
    lastError: view.lastError,
    deploymentsTotal: view.deploymentsTotal,
    deploymentsProven: view.deploymentsProven,
    deploymentsDrifted: view.deploymentsDrifted,
    issuerName: view.issuerName,
    ownerName: view.ownerName ?? "",
    teamName: view.teamName ?? "",
    renewalPolicyName: view.renewalPolicyName,
    renewsWhenCaWants: view.renewsWhenCaWants,
    issuingCaSha256: view.issuingCa ?? "",
    createdAt: timestampFromDate(view.createdAt),
    updatedAt: timestampFromDate(view.updatedAt),
    ...timestamps({ expiresAt: view.expiresAt, renewAt: view.renewAt, archivedAt: view.archivedAt }),
  });
}
