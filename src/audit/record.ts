import type { Prisma } from "#gen/prisma/client.ts";
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
  await tx.auditEvent.create({
    data: {
      id: newId("audit"),
      actor: actor.id,
      actorType: actor.type,
      action: entry.action,
      resourceType: entry.resourceType,
      resourceId: entry.resourceId,
      details: (entry.details ?? {}) as Prisma.InputJsonObject,
      requestId: actor.requestId,
    },
  });
}
