import { X509Certificate } from "node:crypto";
import type { CertificateVersion } from "#gen/prisma/client.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { requireCertificate } from "../auth/grants.ts";
import type { RevocationReason } from "../issuers/issuer.ts";
import type { IssuerKinds } from "../issuers/manage.ts";
import { createRevocation } from "../jobs/create.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { conflict, notFound } from "../platform/errors.ts";
import { sha256, spkiOf } from "../x509/keys.ts";
import { versionsInUse } from "./in-use.ts";

export interface RevokeDeps {
  db: Database;
  issuerKinds: IssuerKinds;
  clock: () => Date;
}

export interface RevokeWish {
  id: string;
  /** Empty: every version that is valid and not revoked. */
  versionId: string;
  reason: RevocationReason;
  /** Although it is in use. */
  force: boolean;
}

/** With these a certificate is worth nothing any more, whatever still serves it. */
const compromises: readonly RevocationReason[] = ["KeyCompromise", "CaCompromise"];

/**
 * Has versions of a certificate revoked, of an archived one too: one job for each. A compromised key is blocked at once. Returns
 * the ids of the jobs.
 */
export async function revokeCertificate(
  deps: RevokeDeps,
  actor: Actor,
  wanted: RevokeWish,
): Promise<string[]> {
  return deps.db.$transaction((tx) => revokeWithin(tx, deps, actor, wanted));
}

/** The same as part of a transaction. */
export async function revokeWithin(
  tx: Transaction,
  { issuerKinds, clock }: Pick<RevokeDeps, "issuerKinds" | "clock">,
  actor: Actor,
  { id, versionId, reason, force }: RevokeWish,
): Promise<string[]> {
  await requireCertificate(tx, actor.grants, id);
  // Deployments and renewals of it wait, or are seen.
  const found = await tx.$queryRaw<
    unknown[]
  >`SELECT 1 FROM managed_certificates WHERE id = ${id} FOR NO KEY UPDATE`;
  if (found.length === 0) throw notFound("certificate", id);
  const now = clock();
  const versions = await revocable(tx, { id, versionId, now });
  await requireAbility(tx, issuerKinds, versions);
  if (isHeldBack({ reason, force })) await requireReplaced(tx, versions);
  const jobIds: string[] = [];
  for (const version of versions) {
    if (reason === "KeyCompromise") await blockKey(tx, version, now);
    jobIds.push(await createRevocation(tx, actor, { version, reason, now }));
  }
  await recordAudit(tx, actor, {
    action: "certificate_revocation_requested",
    resourceType: "certificate",
    resourceId: id,
    details: { reason, force, version_ids: versions.map((version) => version.id), job_ids: jobIds },
  });
  return jobIds;
}

/** Whether versions that are in use are not revoked. */
export function isHeldBack({ reason, force }: { reason: RevocationReason; force: boolean }): boolean {
  return !force && !compromises.includes(reason);
}

async function revocable(
  tx: Transaction,
  { id, versionId, now }: { id: string; versionId: string; now: Date },
): Promise<CertificateVersion[]> {
  if (versionId === "") {
    const where = { certificateId: id, notAfter: { gt: now }, revokedAt: null };
    const versions = await tx.certificateVersion.findMany({ where, orderBy: { createdAt: "asc" } });
    if (versions.length === 0)
      throw conflict("NOTHING_TO_REVOKE", `certificate ${id} has no version that is valid and not revoked`);
    return versions;
  }
  const version = await tx.certificateVersion.findFirst({ where: { id: versionId, certificateId: id } });
  if (!version) throw notFound("version", versionId);
  if (version.revokedAt)
    throw conflict("REVOKED", `version ${versionId} was revoked at ${version.revokedAt.toISOString()}`);
  if (version.notAfter <= now)
    throw conflict(
      "EXPIRED",
      `version ${versionId} expired at ${version.notAfter.toISOString()}: nobody trusts it any more`,
    );
  return [version];
}

async function requireAbility(
  tx: Transaction,
  issuerKinds: IssuerKinds,
  versions: readonly CertificateVersion[],
): Promise<void> {
  const rows = await tx.issuer.findMany({ where: { id: { in: versions.map(({ issuerId }) => issuerId) } } });
  const unable = rows.find(({ kind }) => !issuerKinds.get(kind)?.revoke);
  if (unable)
    throw conflict("CANNOT_REVOKE", `issuer ${unable.id} (${unable.kind}) cannot revoke; ask the CA itself`);
}

async function requireReplaced(tx: Transaction, versions: readonly CertificateVersion[]): Promise<void> {
  const used = await versionsInUse(
    tx,
    versions.map(({ id }) => id),
  );
  const [first] = used;
  if (!first) return;
  const targets = [...new Set(used.flatMap(({ targetNames }) => targetNames))];
  const where =
    targets.length > 0 ? `served or expected on ${targets.join(", ")}` : "the newest that its agent has";
  throw conflict(
    "IN_USE",
    `${used.map(({ versionId }) => versionId).join(", ")} is in use still: ${where}. Renew the certificate and let the new version be proven first, or send force`,
  );
}

/** No certificate gets this key again, whichever issuer or agent it is asked of. */
async function blockKey(tx: Transaction, { id, pemChain }: CertificateVersion, now: Date): Promise<void> {
  const spkiSha256 = new Uint8Array(sha256(spkiOf(new X509Certificate(pemChain).publicKey)));
  await tx.blockedKey.createMany({
    data: [{ spkiSha256, versionId: id, createdAt: now }],
    skipDuplicates: true,
  });
}
