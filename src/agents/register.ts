import type { Agent, JoinToken } from "#gen/prisma/client.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { newSecret } from "../auth/secrets.ts";
import { type Database, isUniqueViolation } from "../platform/database.ts";
import { alreadyExists, invalid, notFound } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";

const defaultTtlSeconds = 3600;

/** Registers an agent with an API key. The key is returned once and only its hash is kept. */
export async function registerAgent(
  db: Database,
  actor: Actor,
  wanted: { id: string; name: string },
): Promise<{ agent: Agent; apiKey: string }> {
  const id = wanted.id || newId("ag");
  const keyId = newId("ak");
  const { token, hash } = newSecret(keyId);
  try {
    const agent = await db.$transaction(async (tx) => {
      const created = await tx.agent.create({ data: { id, name: wanted.name } });
      await tx.apiKey.create({
        data: { id: keyId, name: `agent ${id}`, role: "agent", agentId: id, secretHash: hash },
      });
      await recordAudit(tx, actor, {
        action: "agent_created",
        resourceType: "agent",
        resourceId: id,
        details: { name: wanted.name, api_key_id: keyId },
      });
      return created;
    });
    return { agent, apiKey: token };
  } catch (error) {
    throw isUniqueViolation(error) ? alreadyExists("agent", id) : error;
  }
}

/** Makes a join token. It is returned once and only its hash is kept. */
export async function createJoinToken(
  deps: { db: Database; clock: () => Date },
  actor: Actor,
  wanted: { agentId: string; maxUses: number; ttlSeconds: number },
): Promise<{ joinToken: JoinToken; token: string }> {
  const { db, clock } = deps;
  const maxUses = wanted.maxUses || 1;
  if (wanted.agentId && maxUses > 1) {
    throw invalid({
      field: "max_uses",
      description: "must be 1 for a token that is minted for one agent id",
    });
  }
  const id = newId("jt");
  const { token, hash } = newSecret(id);
  const now = clock();
  const expiresAt = new Date(now.getTime() + (wanted.ttlSeconds || defaultTtlSeconds) * 1000);
  const joinToken = await db.$transaction(async (tx) => {
    const created = await tx.joinToken.create({
      data: { id, secretHash: hash, agentId: wanted.agentId || null, maxUses, expiresAt, createdAt: now },
    });
    await recordAudit(tx, actor, {
      action: "join_token_created",
      resourceType: "join_token",
      resourceId: id,
      details: { agent_id: wanted.agentId || null, max_uses: maxUses, expires_at: expiresAt.toISOString() },
    });
    return created;
  });
  return { joinToken, token };
}

/** Ends a token's use. Ending it again changes nothing. */
export async function endJoinToken(
  deps: { db: Database; clock: () => Date },
  actor: Actor,
  id: string,
): Promise<void> {
  const { db, clock } = deps;
  await db.$transaction(async (tx) => {
    const now = clock();
    const token = await tx.joinToken.findUnique({ where: { id } });
    if (!token) throw notFound("join token", id);
    if (token.expiresAt <= now) return;
    await tx.joinToken.update({ where: { id }, data: { expiresAt: now } });
    await recordAudit(tx, actor, { action: "join_token_ended", resourceType: "join_token", resourceId: id });
  });
}
