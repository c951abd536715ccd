import { type Grants, unrestricted } from "../auth/grants.ts";
import type { Transaction } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";

/** Who acts, and on what: an API key, an agent, certctl itself, or whoever it is where no key is asked for. */
export interface Actor {
  type: "User" | "APIKey" | "Agent" | "System";
  /** "ak-…", "ag-…", "system" or "anonymous-admin". */
  id: string;
  requestId: string;
  grants: Grants;
}

export const system: Actor = { type: "System", id: "system", requestId: "", grants: unrestricted };

/** What JSON can say. */
export type Detail =
  | string
  | number
  | boolean
  | null
  | readonly Detail[]
  | { readonly [key: string]: Detail };

export interface AuditEntry {
  /** What was done, past tense: "certificate_created". */
  action: string;
  resourceType: string;
  resourceId: string;
  /** Never holds a secret. */
  details?: { readonly [key: string]: Detail };
}

/** Writes the audit row of a change, in the change's own transaction. */
export async function recordAudit(tx: Transaction, actor: Actor, entry: AuditEntry): Promise<void> {
  await recordAudits(tx, [{ actor, ...entry }]);
}

/** The same of many changes at once. */
export async function recordAudits(
  tx: Transaction,
  entries: readonly (AuditEntry & { actor: Actor })[],
): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map(({ actor, action, resourceType, resourceId, details = {} }) => ({
    id: newId("audit"),
    actor: actor.id,
    actor_type: actor.type,
    action,
    resource_type: resourceType,
    resource_id: resourceId,
    details,
    request_id: actor.requestId,
  }));
  await tx.$executeRaw`
    INSERT INTO audit_events (id, actor, actor_type, action, resource_type, resource_id, details, request_id)
    SELECT * FROM json_to_recordset(${JSON.stringify(rows)}::json) AS rows
      (id text, actor text, actor_type text, action text, resource_type text, resource_id text, details jsonb, request_id text)`;
}
