import type { IssuingAuthorities } from "../authorities/issuing.ts";
import { KeyAbsentError } from "../authorities/row.ts";
import { enqueue } from "../jobs/queue.ts";
import type { Transaction } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";
import { keepAnswer, signAnswers } from "./ocsp.ts";
import { responderFor } from "./responders.ts";

/**
 * What the transaction that notes a revocation by one of certctl's own CAs also does: the OCSP answers that are kept of the
 * certificate say so from its commit on, and the CRL is made anew.
 */
export async function announceRevocation(
  tx: Transaction,
  { sealer, issuing }: { sealer: Sealer; issuing: IssuingAuthorities },
  revoked: { authorityId: string | null; serial: string; revokedAt: Date | null; revocationReason: string },
  now: Date,
): Promise<void> {
  const { authorityId, serial, revokedAt, revocationReason: reason } = revoked;
  if (authorityId === null || !revokedAt) return;
  await enqueue(tx, "crl", authorityId);
  const kept = await tx.ocspAnswer.findMany({ where: { authorityId, serial } });
  if (kept.length === 0) return;
  const authority = await issuing.find(authorityId, tx);
  try {
    if (!authority) throw new KeyAbsentError(`${authorityId} is not there`);
    const responder = await responderFor(tx, sealer, authority, now);
    const status = { status: "revoked", revokedAt, reason } as const;
    for (const { certId } of kept) {
      const raw = Buffer.from(certId);
      await keepAnswer(
        tx,
        authorityId,
        { serial, raw },
        signAnswers(responder, [{ certId: { raw }, status }], null, now),
      );
    }
  } catch (error) {
    // No answer is better than one that says "good".
    if (!(error instanceof KeyAbsentError)) throw error;
    await tx.ocspAnswer.deleteMany({ where: { authorityId, serial } });
  }
}
