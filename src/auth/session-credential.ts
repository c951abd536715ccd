import type { Session } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import { unauthenticated } from "../platform/errors.ts";
import { endOfSecret, noteUse, operatorOf } from "./key-credential.ts";
import type { Operator } from "./principal.ts";
import { isSecret, parseToken } from "./secrets.ts";

/** A session that is not used for so long has ended. */
export const idleMs = 30 * 60_000;
/** The use of a session is noted this often at most. */
const noteUseEveryMs = 60_000;

/**
 * Whom a session stands for: as its key is now. Throws Unauthenticated for one that has ended, by itself or with the secret that
 * it was begun with.
 */
export async function bySession(
  db: Database,
  { token, isUse }: { token: string; isUse: boolean },
  now: Date,
): Promise<Operator> {
  const parsed = parseToken(token, "ss");
  const session =
    parsed && (await db.session.findUnique({ where: { id: parsed.id }, include: { apiKey: true } }));
  if (!session || !isSecret(parsed.secret, session.secretHash)) throw ended();
  const { apiKey: key, id } = session;
  const keyEndsAt = endOfSecret(key, session.keyHash, now);
  if (keyEndsAt === undefined || key.revokedAt) throw ended();
  const lastUsedAt = isUse ? await noteSessionUse(db, session, now) : session.lastUsedAt;
  const ends = { idleEndsAt: new Date(lastUsedAt.getTime() + idleMs), expiresAt: session.expiresAt };
  if (keyEndsAt && keyEndsAt < ends.expiresAt) ends.expiresAt = keyEndsAt;
  if (ends.expiresAt <= now || ends.idleEndsAt <= now) throw ended();
  if (isUse) await noteUse(db, key, now);
  return { ...operatorOf(key), session: { id, ...ends } };
}

function ended() {
  return unauthenticated("the session has ended; sign in again", "SESSION_ENDED");
}

/** When the session counts as last used. What has ended is not woken up by that. */
async function noteSessionUse(db: Database, { id, lastUsedAt }: Session, now: Date): Promise<Date> {
  const ageMs = now.getTime() - lastUsedAt.getTime();
  if (ageMs < noteUseEveryMs || ageMs >= idleMs) return lastUsedAt;
  await db.session.updateMany({ where: { id }, data: { lastUsedAt: now } });
  return now;
}
