import { type Actor, recordAudit } from "../audit/record.ts";
import type { CertificateFilter } from "../certificates/filter.ts";
import { checkReassignment, type Reassignment } from "../certificates/reassign.ts";
import { matchingIds } from "../certificates/view.ts";
import type { RevocationReason } from "../issuers/issuer.ts";
import { enqueue } from "../jobs/queue.ts";
import type { Database } from "../platform/database.ts";
import { conflict, invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";

/** Why and how versions are revoked. */
export interface Revocation {
  reason: RevocationReason;
  force: boolean;
}

export interface OperationWish {
  kind: string;
  filter: CertificateFilter;
  /** The filter as it was written, to be shown again. */
  filterJson: object;
  changes: Reassignment;
  /** Of the kind Revoke alone. */
  revocation: Revocation | null;
  /** What a dry run counted; undefined: whatever matches. */
  expectedTotal: number | undefined;
}

/**
 * Starts an operation on every certificate that matches now, however many: they are chosen in the transaction that makes
 * the operation. Returns its id.
 */
export async function createOperation(
  deps: { db: Database; clock: () => Date },
  actor: Actor,
  wanted: OperationWish,
): Promise<string> {
  const { db, clock } = deps;
  const { kind, filter, filterJson, changes, revocation, expectedTotal } = wanted;
  const id = newId("op");
  const now = clock();
  await db.$transaction(
    async (tx) => {
      if (kind === "Reassign") await checkReassignment(tx, actor, changes);
      else requireNoChanges(changes);
      requireRevocation(kind, revocation);
      await tx.operation.create({
        data: {
          id,
          kind,
          status: "Running",
          filter: filterJson,
          changes: { ...(revocation ?? changes) },
          createdBy: actor.id,
          createdType: actor.type,
          createdAt: now,
        },
      });
      const total = await tx.$executeRaw`
        INSERT INTO operation_items (operation_id, certificate_id, job_ids)
        SELECT ${id}, matching.id, '{}' FROM (${matchingIds(actor.grants, filter, now)}) matching`;
      if (expectedTotal !== undefined && expectedTotal !== total) {
        throw conflict(
          "TOTAL_CHANGED",
          `${total} certificates match now, not ${expectedTotal}; look at the dry run again`,
          [{ field: "expected_total", description: `is ${total} now` }],
        );
      }
      await recordAudit(tx, actor, {
        action: "operation_created",
        resourceType: "operation",
        resourceId: id,
        details: {
          kind,
          total,
          filter: JSON.stringify(filterJson),
          changes: JSON.stringify(revocation ?? changes),
        },
      });
      await enqueue(tx, "operate", id);
    },
    { timeout: 120_000 },
  );
  return id;
}

export function requireNoChanges(changes: Reassignment): void {
  if (Object.values(changes).some((value) => value !== undefined))
    throw invalid({ field: "changes", description: "are for the kind Reassign only; leave them out" });
}

/** Throws unless a revocation says why, and nothing else does. */
export function requireRevocation(kind: string, revocation: Revocation | null): void {
  if (kind === "Revoke" && !revocation)
    throw invalid({ field: "revocation", description: "say why: revocation.reason" });
  if (kind !== "Revoke" && revocation)
    throw invalid({ field: "revocation", description: "is for the kind Revoke only; leave it out" });
}
