import { recordAudit } from "../audit/record.ts";
import { unrestricted } from "../auth/grants.ts";
import { isSecret, parseToken } from "../auth/secrets.ts";
import { idleMs } from "../auth/session-credential.ts";
import type { Database } from "../platform/database.ts";
import type { ScheduledTask } from "../scheduler/task.ts";

/** Ends the session of a cookie at once. One that has ended already, or never was, is left at that. */
export async function endSession(db: Database, token: string, requestId: string): Promise<void> {
  const parsed = parseToken(token, "ss");
  if (!parsed) return;
  await db.$transaction(async (tx) => {
    const session = await tx.session.findUnique({ where: { id: parsed.id } });
    if (!session || !isSecret(parsed.secret, session.secretHash)) return;
    const { count } = await tx.session.deleteMany({ where: { id: session.id } });
    if (count === 0) return;
    await recordAudit(
      tx,
      { type: "APIKey", id: session.apiKeyId, requestId, grants: unrestricted },
      { action: "session_ended", resourceType: "session", resourceId: session.id },
    );
  });
}

/** Removes sessions that have ended by themselves or with their keys. They were refused before, too. */
export async function pruneSessions(db: Database, now: Date): Promise<string> {
  const count = await db.$executeRaw`
    DELETE FROM sessions s USING api_keys k
    WHERE k.id = s.api_key_id AND (
      s.expires_at <= ${now} OR s.last_used_at <= ${new Date(now.getTime() - idleMs)}
      OR k.revoked_at IS NOT NULL OR k.expires_at <= ${now}
      OR s.key_hash <> k.secret_hash
        AND (k.old_secret_hash IS DISTINCT FROM s.key_hash OR k.old_secret_ends_at <= ${now}))`;
  return `${count} sessions removed`;
}

export function sessionsTask(db: Database, everyMs: number): ScheduledTask {
  return {
    name: "sessions",
    title: "Removes sessions that have ended",
    everyMs,
    run: (now) => pruneSessions(db, now),
  };
}
