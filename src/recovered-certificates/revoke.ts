import { type Actor, recordAudit } from "../audit/record.ts";
import type { AuthorityDeps } from "../authorities/keep.ts";
import type { RevocationReason } from "../issuers/issuer.ts";
import { conflict, notFound } from "../platform/errors.ts";
import { announceRevocation } from "../revocation/revoked.ts";

/** Revokes a recovered certificate: from this commit on OCSP says so, and its CRL is due. Done again it changes nothing. */
export async function revokeRecovered(
  deps: AuthorityDeps,
  actor: Actor,
  { id, reason }: { id: string; reason: RevocationReason },
): Promise<void> {
  const now = deps.clock();
  await deps.db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM recovered_certificates WHERE id = ${id} FOR UPDATE`;
    const row = await tx.recoveredCertificate.findUnique({ where: { id } });
    if (!row) throw notFound("recovered certificate", id);
    if (row.revokedAt) return;
    if (row.notAfter <= now)
      throw conflict("EXPIRED", `${id} expired at ${row.notAfter.toISOString()}: nobody trusts it any more`);
    const data = { revokedAt: now, revocationReason: reason };
    await announceRevocation(tx, deps, await tx.recoveredCertificate.update({ where: { id }, data }), now);
    await recordAudit(tx, actor, {
      action: "recovered_certificate_revoked",
      resourceType: "recovered_certificate",
      resourceId: id,
      details: { authority_id: row.authorityId, serial: row.serial, reason },
    });
  });
}
