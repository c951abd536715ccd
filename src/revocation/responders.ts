import { createPrivateKey } from "node:crypto";
import type { Authority } from "../authorities/authority.ts";
import { makeResponder, type Responder } from "../authorities/responder.ts";
import type { Transaction } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Sealer } from "../platform/seal.ts";
import { partsOf } from "../x509/der-certificate.ts";

/** So long before its end a responder is replaced: whatever it still signed ends before it does. */
const replacedBeforeMs = 10 * 86_400_000;

const sealedKeyPlace = (id: string) => ({ table: "ocsp_responders", id, field: "sealed_key" });

/** The responder that answers for a CA now; it is made where there is none, or the last one is about to end. */
export async function responderFor(
  tx: Transaction,
  sealer: Sealer,
  authority: Authority,
  now: Date,
): Promise<Responder> {
  const known = await newest(tx, sealer, authority.id, now);
  if (known) return known;
  await tx.$queryRaw`SELECT 1 FROM authorities WHERE id = ${authority.id} FOR NO KEY UPDATE`;
  const another = await newest(tx, sealer, authority.id, now);
  if (another) return another;
  const made = makeResponder(authority, now);
  const id = newId("ocsp");
  const pkcs8 = made.key.export({ type: "pkcs8", format: "der" });
  await tx.ocspResponder.create({
    data: {
      id,
      authorityId: authority.id,
      certificate: new Uint8Array(made.certificate),
      sealedKey: new Uint8Array(sealer.seal(sealedKeyPlace(id), pkcs8)),
      notAfter: made.notAfter,
      createdAt: now,
    },
  });
  // Keys that answer no more are no use to anybody.
  await tx.ocspResponder.deleteMany({ where: { authorityId: authority.id, notAfter: { lt: now } } });
  return made;
}

async function newest(
  tx: Transaction,
  sealer: Sealer,
  authorityId: string,
  now: Date,
): Promise<Responder | null> {
  const row = await tx.ocspResponder.findFirst({ where: { authorityId }, orderBy: { notAfter: "desc" } });
  if (!row || row.notAfter.getTime() - replacedBeforeMs <= now.getTime()) return null;
  const pkcs8 = sealer.open(sealedKeyPlace(row.id), row.sealedKey);
  const certificate = Buffer.from(row.certificate);
  const key = createPrivateKey({ key: pkcs8, type: "pkcs8", format: "der" });
  return { certificate, key, spki: partsOf(certificate).spki, notAfter: row.notAfter };
}
