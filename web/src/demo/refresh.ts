import type { Certificate } from "#gen/certctl/v1/certificates_pb.ts";
import { asOfNow } from "./certificates.ts";
import type { World } from "./world.ts";

/** Brings what is computed at reading up to date: state, names and counts. */
export function refreshCertificate(world: World, certificate: Certificate): void {
  const versions = world.versions.get(certificate.id) ?? [];
  asOfNow(certificate, versions.find(({ current }) => current) ?? versions[0], new Date());
  const deployments = world.deployments.get(certificate.id) ?? [];
  const proven = deployments.filter((each) => each.servedFingerprintSha256 === each.fingerprintSha256);
  certificate.deploymentsTotal = certificate.targetIds.length;
  certificate.deploymentsProven = proven.length;
  certificate.deploymentsDrifted = deployments.length - proven.length;
  certificate.issuerId ||= "iss-local";
  certificate.renewalPolicyId ||= "rp-default";
  certificate.validitySeconds ||= 46 * 86_400;
  certificate.issuerName = world.issuers.get(certificate.issuerId)?.name ?? "";
  certificate.ownerName = world.owners.get(certificate.ownerId)?.name ?? "";
  certificate.teamName = world.teams.get(certificate.teamId)?.name ?? "";
  certificate.renewalPolicyName = world.renewalPolicies.get(certificate.renewalPolicyId)?.name ?? "";
}

/** Every live certificate, up to date. */
export function liveCertificates(world: World): Certificate[] {
  const all = [...world.certificates.values()];
  for (const certificate of all) refreshCertificate(world, certificate);
  return all.filter(({ archivedAt }) => !archivedAt);
}

/** How many of the live certificates each of them has, by a field: "ownerId". */
export function countBy(
  certificates: readonly Certificate[],
  field: "ownerId" | "teamId" | "issuerId" | "renewalPolicyId",
  id: string,
): number {
  return certificates.filter((certificate) => certificate[field] === id).length;
}
