import type { Transaction } from "../platform/database.ts";
import { conflict, notFound } from "../platform/errors.ts";

/** Locks a certificate's row until the transaction ends. */
export async function lockLive(tx: Transaction, id: string): Promise<void> {
  const [row] = await tx.$queryRaw<{ archivedAt: Date | null }[]>`
    SELECT archived_at AS "archivedAt" FROM managed_certificates WHERE id = ${id} FOR UPDATE`;
  if (!row) throw notFound("certificate", id);
  if (row.archivedAt) throw conflict("ARCHIVED", `certificate ${id} is archived`);
}
