import type { Actor } from "../audit/record.ts";
import { requireCertificate } from "../auth/grants.ts";
import type { Transaction } from "../platform/database.ts";
import { type Archivable, lockLiveRow } from "../resources/archive.ts";

export const certificateKind: Archivable = {
  what: "certificate",
  table: "managed_certificates",
  guard: requireCertificate,
};

/** Locks the row of a certificate that the actor may change until the transaction ends. */
export async function lockLive(tx: Transaction, actor: Actor, id: string): Promise<void> {
  await lockLiveRow(tx, actor, certificateKind, id);
}
