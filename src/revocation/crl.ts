import type { IssuingAuthorities } from "../authorities/issuing.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { makeCrl } from "../x509/crl.ts";

export interface CrlDeps {
  db: Database;
  issuing: IssuingAuthorities;
  clock: () => Date;
}

const dayMs = 86_400_000;
/** How long a CRL may be relied upon. */
const lifetimeMs = 7 * dayMs;
/** How old it may be: one that is made every day can be missed for six. */
const mostAgeMs = dayMs;

/** Makes the CRL of a CA anew. Nothing happens for a CA that has ended, or whose key is not at hand. */
export async function rebuildCrl({ db, issuing, clock }: CrlDeps, authorityId: string): Promise<void> {
  const authority = await issuing.find(authorityId);
  const now = clock();
  if (!authority || Date.parse(authority.certificate.validTo) <= now.getTime()) return;
  await db.$transaction(async (tx) => {
    // One at a time: the number grows, and what is revoked meanwhile comes into the next.
    await tx.$queryRaw`SELECT 1 FROM authorities WHERE id = ${authorityId} FOR NO KEY UPDATE`;
    const before = await tx.authorityCrl.findUnique({ where: { authorityId } });
    const thisUpdate = new Date(Math.floor(now.getTime() / 1000) * 1000);
    const entries = await entriesOf(tx, authorityId, before?.thisUpdate ?? null);
    const content = {
      issuerDer: authority.der,
      number: nextNumber(before?.number ?? null, now),
      thisUpdate,
      nextUpdate: new Date(thisUpdate.getTime() + lifetimeMs),
      entries,
    };
    const data = {
      number: content.number,
      thisUpdate,
      nextUpdate: content.nextUpdate,
      entries: entries.length,
      der: new Uint8Array(makeCrl(content, authority.key)),
    };
    await tx.authorityCrl.upsert({ where: { authorityId }, create: { authorityId, ...data }, update: data });
  });
}

/** Grows, also where the database is a restored backup that does not know of the last one. */
function nextNumber(last: bigint | null, now: Date): bigint {
  const seconds = BigInt(Math.floor(now.getTime() / 1000));
  return last !== null && last + 1n > seconds ? last + 1n : seconds;
}

interface Entry {
  serial: string;
  revokedAt: Date;
  reason: string;
}

/** An entry stays until it stood in a CRL that was made after its certificate's end (RFC 5280, 3.3). */
async function entriesOf(tx: Transaction, authorityId: string, lastUpdate: Date | null): Promise<Entry[]> {
  const since = lastUpdate ?? new Date(0);
  return tx.$queryRaw<Entry[]>`
    SELECT serial, min(revoked_at) AS "revokedAt", min(revocation_reason) AS reason FROM (
      SELECT serial, revoked_at, revocation_reason FROM certificate_versions
      WHERE authority_id = ${authorityId} AND revoked_at IS NOT NULL AND not_after > ${since}
      UNION ALL
      SELECT serial, revoked_at, revocation_reason FROM recovered_certificates
      WHERE authority_id = ${authorityId} AND revoked_at IS NOT NULL AND not_after > ${since}
    ) revoked GROUP BY serial ORDER BY min(revoked_at), serial`;
}

/**
 * CAs whose CRL is missing, old, or lacks a revocation: those that sign for an issuer, and those that signed what is valid still.
 */
export async function dueCrls(db: Database, now: Date): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT a.id FROM authorities a LEFT JOIN authority_crls c ON c.authority_id = a.id
    WHERE a.role = 'issuing-ca' AND a.key_place IN ('database', 'pkcs11') AND a.certificate IS NOT NULL
      AND (c.this_update IS NULL OR c.this_update < ${new Date(now.getTime() - mostAgeMs)}
        OR EXISTS (SELECT 1 FROM certificate_versions v
          WHERE v.authority_id = a.id AND v.revoked_at > c.this_update + interval '1 second')
        OR EXISTS (SELECT 1 FROM recovered_certificates r
          WHERE r.authority_id = a.id AND r.revoked_at > c.this_update + interval '1 second'))
      AND (EXISTS (SELECT 1 FROM certificate_versions v WHERE v.authority_id = a.id AND v.not_after > ${now})
        OR EXISTS (SELECT 1 FROM recovered_certificates r WHERE r.authority_id = a.id AND r.not_after > ${now})
        OR a.id IN (
          SELECT DISTINCT ON (issuer_id) id FROM authorities WHERE activated_at IS NOT NULL
          ORDER BY issuer_id, activated_at DESC, created_at DESC, id DESC))
    ORDER BY a.id`;
  return rows.map(({ id }) => id);
}
