import { type Actor, recordAudit } from "../audit/record.ts";
import { keyInForce, noteUse, operatorOf } from "../auth/key-credential.ts";
import type { Operator } from "../auth/principal.ts";
import { newSecret } from "../auth/secrets.ts";
import { idleMs } from "../auth/session-credential.ts";
import type { Database } from "../platform/database.ts";
import { unauthenticated } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";

/** However much it is used, a session ends after this. */
export const lifetimeMs = 12 * 3_600_000;

export interface SignIn {
  apiKey: string;
  address: string;
  requestId: string;
}

/** Begins a session with an API key. The token is for the cookie; only the hash of its secret is kept. */
export async function beginSession(
  { db, clock }: { db: Database; clock: () => Date },
  { apiKey, address, requestId }: SignIn,
): Promise<{ operator: Operator; token: string }> {
  const now = clock();
  const { key, endsAt, hash: keyHash } = await keyInForce(db, apiKey, now);
  if (key.agentId !== null) throw unauthenticated("the API key is an agent's; people sign in with their own");
  const operator = operatorOf(key);
  const id = newId("ss");
  const { token, hash: secretHash } = newSecret(id);
  const latest = new Date(now.getTime() + lifetimeMs);
  const expiresAt = endsAt && endsAt < latest ? endsAt : latest;
  const actor: Actor = { type: "APIKey", id: key.id, requestId, grants: operator.grants };
  await db.$transaction(async (tx) => {
    await recordAudit(tx, actor, {
      action: "session_begun",
      resourceType: "session",
      resourceId: id,
      details: { address },
    });
    await tx.session.create({
      data: { id, secretHash, apiKeyId: key.id, keyHash, createdAt: now, lastUsedAt: now, expiresAt },
    });
  });
  await noteUse(db, key, now);
  return {
    operator: {
      ...operator,
      session: { id, expiresAt, idleEndsAt: new Date(now.getTime() + idleMs) },
    },
    token,
  };
}
