import type { ApiKey } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import { unauthenticated } from "../platform/errors.ts";
import type { Operator, Principal } from "./principal.ts";
import type { Role } from "./roles.ts";
import { hashSecret, isSameHash, parseToken } from "./secrets.ts";

/** The use of a key is noted this often at most. */
const noteUseEveryMs = 5 * 60_000;
/** Compared with when there is no such key, so that an unknown id takes as long as a wrong secret. */
const noHash = new Uint8Array(32);

/** Who holds the API key of an Authorization header. Throws Unauthenticated for a key that is not in force. */
export async function byApiKey(db: Database, authorization: string, now: Date): Promise<Principal> {
  const [scheme, credential = ""] = authorization.split(" ", 2);
  if (scheme?.toLowerCase() !== "bearer")
    throw unauthenticated("the Authorization header must be: Bearer <API key>");
  const { key, endsAt } = await keyInForce(db, credential, now);
  await noteUse(db, key, now);
  if (key.agentId !== null)
    return { kind: "agent", id: key.agentId, credential: { kind: "api_key", id: key.id, notAfter: endsAt } };
  return operatorOf(key);
}

/** The key of a token and when the token ends, null for never. Throws Unauthenticated for one that is not in force. */
export async function keyInForce(
  db: Database,
  credential: string,
  now: Date,
): Promise<{ key: ApiKey; endsAt: Date | null; hash: Uint8Array<ArrayBuffer> }> {
  const token = parseToken(credential, "ak");
  const key = token && (await db.apiKey.findUnique({ where: { id: token.id } }));
  const hash = hashSecret(token?.secret ?? "");
  const endsAt = endOfSecret(key, hash, now);
  if (!key || endsAt === undefined) throw unauthenticated("the API key is unknown or wrong");
  if (key.revokedAt) throw unauthenticated("the API key was revoked", "KEY_REVOKED");
  if (endsAt && endsAt <= now) throw unauthenticated("the API key has expired", "KEY_EXPIRED");
  return { key, endsAt, hash };
}

/** Whom an operator's key stands for. */
export function operatorOf({ id, role, teamIds, issuerIds }: ApiKey): Operator {
  return { kind: "operator", id, role: role as Exclude<Role, "agent">, grants: { teamIds, issuerIds } };
}

/** When the secret with that hash ends, null for never; undefined if it is none of the key's. */
export function endOfSecret(key: ApiKey | null, hash: Uint8Array, now: Date): Date | null | undefined {
  const isCurrent = isSameHash(hash, key?.secretHash ?? noHash);
  const isOld = isSameHash(hash, key?.oldSecretHash ?? noHash);
  if (!key) return undefined;
  if (isCurrent) return key.expiresAt;
  if (!isOld || !key.oldSecretEndsAt || key.oldSecretEndsAt <= now) return undefined;
  return key.expiresAt && key.expiresAt < key.oldSecretEndsAt ? key.expiresAt : key.oldSecretEndsAt;
}

/** Notes that the key was used, to a few minutes. */
export async function noteUse(db: Database, { id, lastUsedAt }: ApiKey, now: Date): Promise<void> {
  if (lastUsedAt && now.getTime() - lastUsedAt.getTime() < noteUseEveryMs) return;
  await db.apiKey.updateMany({ where: { id }, data: { lastUsedAt: now } });
}
