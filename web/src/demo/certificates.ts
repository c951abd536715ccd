import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Certificate,
  CertificateSchedule,
  CertificateSchema,
  CertificateStatus,
  type CertificateVersion,
  CertificateVersionSchema,
  type Deployment,
  DeploymentSchema,
  KeyAlgorithm,
} from "#gen/certctl/v1/certificates_pb.ts";
import { silentHost } from "./estate.ts";
import { createRandom, type Random } from "./random.ts";

const dayMs = 86_400_000;
const services =
  "api auth shop pay cart search mail www media events ldap git wiki grafana vault queue".split(" ");
const zones = ["certctl.example", "internal.certctl.example", "staging.certctl.example"] as const;
const lanes = [
  ["t-payments", "o-ada", "pay-1"],
  ["t-payments", "o-noor", "pay-2"],
  ["t-web", "o-ben", "web-1"],
  ["t-web", "o-gus", "edge-1"],
  ["t-platform", "o-chen", "edge-2"],
  ["t-data", "o-dana", "data-1"],
  ["t-identity", "o-emil", "sso-1"],
  ["t-platform", "o-hana", silentHost],
] as const;

export interface Made {
  certificate: Certificate;
  versions: CertificateVersion[];
  deployments: Deployment[];
}

/** The certificate that drifted: its target serves what came before. */
export const driftedId = "mc-media-1";

/** Certificates with their versions; each came about when its plan said, so that most are well. */
export function makeCertificates(now: Date): Made[] {
  const random = createRandom(47);
  return zones.flatMap((zone, zoneIndex) =>
    services.map((service, index) =>
      makeCertificate(now, random, `${service}-${zoneIndex + 1}`, `${service}.${zone}`, index),
    ),
  );
}

function makeCertificate(now: Date, random: Random, name: string, commonName: string, index: number): Made {
  const [teamId, ownerId, host] = lanes[index % lanes.length] ?? lanes[0];
  const lifetimeDays = random.pick([46, 46, 90, 12]);
  const isSilent = host === silentHost;
  // A silent host's certificates were not renewed: they are late by their plan.
  const ageDays = isSilent ? lifetimeDays * (0.7 + index * 0.025) : random.next() * lifetimeDays * 0.64;
  const id = `mc-${name}`;
  const versions = Array.from({ length: 4 }, (_, back) => {
    const start = new Date(now.getTime() - (ageDays + back * lifetimeDays * 0.66) * dayMs);
    return makeVersion(random, id, host, start, lifetimeDays, back);
  });
  const [current, previous] = versions;
  const isDrifted = id === driftedId;
  const served = (isDrifted ? previous : current)?.fingerprintSha256 ?? "";
  const deployment = create(DeploymentSchema, {
    targetId: `tgt-${host}`,
    agentId: `ag-${host}`,
    versionId: current?.id ?? "",
    fingerprintSha256: current?.fingerprintSha256 ?? "",
    servedFingerprintSha256: served,
    targetName: host,
    expectedVersionId: current?.id ?? "",
    expectedVersionNumber: 4,
    expectedFingerprintSha256: current?.fingerprintSha256 ?? "",
    proven: !isDrifted,
    servedAt: timestampFromDate(new Date(now.getTime() - random.between(1, 20) * 3_600_000)),
  });
  const certificate = create(CertificateSchema, {
    id,
    name,
    commonName,
    sans: [commonName, `www.${commonName}`],
    issuerId: commonName.includes("internal") ? "iss-services" : index % 5 === 0 ? "iss-edge" : "iss-local",
    targetIds: [`tgt-${host}`],
    keyAlgorithm: index % 6 === 0 ? KeyAlgorithm.RSA_2048 : KeyAlgorithm.ECDSA_P256,
    validitySeconds: lifetimeDays * 86_400,
    environment: commonName.includes("staging") ? "staging" : "production",
    ownerId,
    teamId,
    renewalPolicyId: index % 3 === 0 ? "rp-early" : "rp-default",
    tags: { service: name.split("-")[0] ?? "" },
    createdAt: timestampFromDate(new Date(now.getTime() - 200 * dayMs)),
    updatedAt: timestampFromDate(new Date(now.getTime() - ageDays * dayMs)),
  });
  return { certificate, versions, deployments: [deployment] };
}

export function makeVersion(
  random: Random,
  certificateId: string,
  host: string,
  start: Date,
  lifetimeDays: number,
  back: number,
): CertificateVersion {
  const at = (days: number) => timestampFromDate(new Date(start.getTime() + days * dayMs));
  return create(CertificateVersionSchema, {
    id: `cv-${random.hex(12)}`,
    certificateId,
    agentId: `ag-${host}`,
    jobId: `job-${random.hex(12)}`,
    renewalId: `rn-${random.hex(12)}`,
    issuerId: "iss-local",
    serialNumber: random.hex(32).toUpperCase(),
    fingerprintSha256: random.hex(64),
    notBefore: at(0),
    notAfter: at(lifetimeDays),
    renewAt: at((lifetimeDays * 2) / 3),
    number: 4 - back,
    current: back === 0,
    createdAt: at(0),
  });
}

/** What is computed when it is read: the state, against the plan, as of now. */
export function asOfNow(certificate: Certificate, version: CertificateVersion | undefined, now: Date): void {
  certificate.schedule = CertificateSchedule.UNSPECIFIED;
  if (!version?.notAfter || !version.renewAt) {
    certificate.status = CertificateStatus.PENDING;
  } else {
    const [end, renewal] = [timestampDate(version.notAfter), timestampDate(version.renewAt)];
    const left = end.getTime() - now.getTime();
    certificate.serialNumber = version.serialNumber;
    certificate.fingerprintSha256 = version.fingerprintSha256;
    certificate.expiresAt = version.notAfter;
    certificate.renewAt = version.renewAt;
    certificate.schedule = scheduleOf(
      now.getTime() - renewal.getTime(),
      left / (certificate.validitySeconds * 1_000),
    );
    certificate.status =
      left <= 0
        ? CertificateStatus.EXPIRED
        : certificate.schedule === CertificateSchedule.ON_PLAN ||
            certificate.schedule === CertificateSchedule.DUE
          ? CertificateStatus.ACTIVE
          : CertificateStatus.EXPIRING;
  }
  if (version?.revokedAt) {
    certificate.schedule = CertificateSchedule.UNSPECIFIED;
    certificate.status = CertificateStatus.REVOKED;
  }
  if (certificate.activeJobId) certificate.status = CertificateStatus.RENEWAL_IN_PROGRESS;
  if (certificate.archivedAt) certificate.status = CertificateStatus.ARCHIVED;
}

function scheduleOf(lateMs: number, shareLeft: number): CertificateSchedule {
  if (shareLeft < 1 / 6) return CertificateSchedule.AT_RISK;
  if (lateMs > dayMs) return CertificateSchedule.OVERDUE;
  return lateMs > 0 ? CertificateSchedule.DUE : CertificateSchedule.ON_PLAN;
}
