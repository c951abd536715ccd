import type { Actor } from "../audit/record.ts";
import { requireCertificate } from "../auth/grants.ts";
import type { Transaction } from "../platform/database.ts";
import { conflict, notFound } from "../platform/errors.ts";

/** Locks the row of a certificate that the actor may change until the transaction ends. */
export async function lockLive(tx: Transaction, { grants }: Actor, id: string): Promise<void> {
  const [row] = await tx.$queryRaw<{ archivedAt: Date | null }[]>`
    SELECT archived_at AS "archivedAt" FROM managed_certificates WHERE id = ${id} FOR UPDATE`;
  if (!row) throw notFound("certificate", id);
  await requireCertificate(tx, grants, id);
  if (row.archivedAt) throw conflict("ARCHIVED", `certificate ${id} is archived`);
}
