import type { ApiKey } from "#gen/prisma/client.ts";
import { endSessions } from "../agents/end-sessions.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { covers } from "../auth/grants.ts";
import { newSecret } from "../auth/secrets.ts";
import type { Transaction } from "../platform/database.ts";
import { conflict, notFound } from "../platform/errors.ts";
import type { ApiKeyDeps } from "./create.ts";
import { lockAdminKeys, requireAnotherAdmin } from "./last-admin.ts";

/** Gives a key a new secret; the old one is taken until the overlap ends. */
export async function rotateApiKey(
  { db, clock }: ApiKeyDeps,
  actor: Actor,
  { id, overlapSeconds }: { id: string; overlapSeconds: number },
): Promise<{ key: ApiKey; token: string }> {
  const { token, hash } = newSecret(id);
  const key = await db.$transaction(async (tx) => {
    const now = clock();
    const before = await lockKey(tx, actor, id);
    requireInForce(before, now);
    const endsAt = overlapSeconds > 0 ? new Date(now.getTime() + overlapSeconds * 1000) : null;
    await afterwards(tx, before);
    await audit(tx, actor, "api_key_rotated", id, { overlap_seconds: overlapSeconds });
    return tx.apiKey.update({
      where: { id },
      data: {
        secretHash: hash,
        oldSecretHash: endsAt ? before.secretHash : null,
        oldSecretEndsAt: endsAt,
        rotatedAt: now,
      },
    });
  });
  return { key, token };
}

/** Sets when a key expires: in the past or now ends it. */
export async function expireApiKey(
  { db, clock }: ApiKeyDeps,
  actor: Actor,
  { id, expiresAt }: { id: string; expiresAt: Date | null },
): Promise<ApiKey> {
  return db.$transaction(async (tx) => {
    const now = clock();
    const before = await lockKey(tx, actor, id);
    requireInForce(before, now);
    const end = expiresAt && expiresAt > now ? expiresAt : now;
    if (end <= now && before.role === "admin") await requireAnotherAdmin(tx, now, id);
    await afterwards(tx, before);
    await audit(tx, actor, "api_key_expiry_set", id, {
      before: { expires_at: before.expiresAt?.toISOString() ?? null },
      after: { expires_at: end.toISOString() },
    });
    return tx.apiKey.update({ where: { id }, data: { expiresAt: end } });
  });
}

/** Revokes a key for good. Revoking it again changes nothing. */
export async function revokeApiKey({ db, clock }: ApiKeyDeps, actor: Actor, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const now = clock();
    const before = await lockKey(tx, actor, id);
    if (before.revokedAt) return;
    if (before.role === "admin") await requireAnotherAdmin(tx, now, id);
    await tx.apiKey.update({
      where: { id },
      data: { revokedAt: now, oldSecretHash: null, oldSecretEndsAt: null },
    });
    await afterwards(tx, before);
    await audit(tx, actor, "api_key_revoked", id, { name: before.name, role: before.role });
  });
}

async function lockKey(tx: Transaction, { grants }: Actor, id: string): Promise<ApiKey> {
  await lockAdminKeys(tx);
  await tx.$queryRaw`SELECT id FROM api_keys WHERE id = ${id} FOR UPDATE`;
  const key = await tx.apiKey.findUnique({ where: { id } });
  if (!key || !covers(grants, key)) throw notFound("API key", id);
  return key;
}

function requireInForce({ id, revokedAt, expiresAt }: ApiKey, now: Date): void {
  if (revokedAt) throw conflict("KEY_REVOKED", `API key ${id} was revoked; make a new one`);
  if (expiresAt && expiresAt <= now)
    throw conflict("KEY_EXPIRED", `API key ${id} has expired; make a new one`);
}

/** A stream that was opened with the key ends; what the agent holds now decides whether it opens another. */
async function afterwards(tx: Transaction, { agentId }: ApiKey): Promise<void> {
  if (agentId !== null) await endSessions(tx, agentId);
}

async function audit(
  tx: Transaction,
  actor: Actor,
  action: string,
  id: string,
  details: NonNullable<Parameters<typeof recordAudit>[2]["details"]>,
): Promise<void> {
  await recordAudit(tx, actor, { action, resourceType: "api_key", resourceId: id, details });
}
