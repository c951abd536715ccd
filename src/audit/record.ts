import type { Transaction } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";

/** Who acts: an operator's API key, an agent, or certctl itself. */
export interface Actor {
  type: "APIKey" | "Agent" | "System";
  /** "ak-…", "ag-…" or "system". */
  id: string;
  requestId: string;
}

export const system: Actor = { type: "System", id: "system", requestId: "" };

export interface AuditEntry {
  /** What was done, past tense: "certificate_created". */
  action: string;
  resourceType: string;
  resourceId: string;
  /** Never holds a secret. */
  details?: Record<string, string | number | boolean | string[] | null>;
}

/** Writes the audit row of a change, in the change's own transaction. */
export async function recordAudit(tx: Transaction, actor: Actor, entry: AuditEntry): Promise<void> {
  await tx.auditEvent.create({
    data: {
      id: newId("audit"),
      actor: actor.id,
      actorType: actor.type,
      action: entry.action,
      resourceType: entry.resourceType,
      resourceId: entry.resourceId,
      details: entry.details ?? {},
      requestId: actor.requestId,
    },
  });
}
