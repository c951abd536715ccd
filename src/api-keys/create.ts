import type { ApiKey } from "#gen/prisma/client.ts";
import { holdAgent } from "../agents/hold.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { covers, type Grants, isRestricted } from "../auth/grants.ts";
import type { Role } from "../auth/roles.ts";
import { newSecret } from "../auth/secrets.ts";
import { type Database, isUniqueViolation, type Transaction } from "../platform/database.ts";
import { alreadyExists, denied, type FieldViolation, invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";

export interface ApiKeyDeps {
  db: Database;
  clock: () => Date;
}

export interface NewApiKey extends Grants {
  id: string;
  name: string;
  role: Role;
  agentId: string;
  expiresAt: Date | null;
}

/** Makes a key. The token is returned once and only the hash of its secret is kept. */
export async function createApiKey(
  { db, clock }: ApiKeyDeps,
  actor: Actor,
  wanted: NewApiKey,
): Promise<{ key: ApiKey; token: string }> {
  const id = wanted.id || newId("ak");
  const { token, hash } = newSecret(id);
  const { name, role, expiresAt } = wanted;
  const teamIds = [...wanted.teamIds];
  const issuerIds = [...wanted.issuerIds];
  const agentId = wanted.agentId || null;
  const now = clock();
  try {
    const key = await db.$transaction(async (tx) => {
      await check(tx, actor, wanted, now);
      await recordAudit(tx, actor, {
        action: "api_key_created",
        resourceType: "api_key",
        resourceId: id,
        details: {
          after: {
            name,
            role,
            agent_id: agentId,
            team_ids: teamIds,
            issuer_ids: issuerIds,
            expires_at: expiresAt?.toISOString() ?? null,
          },
        },
      });
      return tx.apiKey.create({
        data: { id, name, role, agentId, teamIds, issuerIds, expiresAt, secretHash: hash, createdAt: now },
      });
    });
    return { key, token };
  } catch (error) {
    throw isUniqueViolation(error) ? alreadyExists("API key", id) : error;
  }
}

async function check(tx: Transaction, actor: Actor, wanted: NewApiKey, now: Date): Promise<void> {
  const problems: FieldViolation[] = [];
  const { role, agentId, expiresAt } = wanted;
  const agent = role === "agent" ? await holdAgent(tx, agentId) : null;
  if (role === "agent" && !agent)
    problems.push({ field: "agent_id", description: "must name an agent that exists" });
  if (agent?.retiredAt) problems.push({ field: "agent_id", description: `agent ${agentId} is retired` });
  if (role !== "agent" && agentId)
    problems.push({ field: "agent_id", description: "is for keys with the role agent" });
  if ((role === "agent" || role === "auditor") && isRestricted(wanted)) {
    const field = wanted.teamIds.length > 0 ? "team_ids" : "issuer_ids";
    problems.push({ field, description: `keys with the role ${role} are not restricted` });
  }
  for (const [index, id] of wanted.teamIds.entries()) {
    if (!(await tx.team.findUnique({ where: { id } })))
      problems.push({ field: `team_ids[${index}]`, description: `team ${id} does not exist` });
  }
  for (const [index, id] of wanted.issuerIds.entries()) {
    if (!(await tx.issuer.findUnique({ where: { id } })))
      problems.push({ field: `issuer_ids[${index}]`, description: `issuer ${id} does not exist` });
  }
  if (expiresAt && expiresAt <= now) problems.push({ field: "expires_at", description: "must lie ahead" });
  const [first, ...others] = problems;
  if (first) throw invalid(first, ...others);
  if (!covers(actor.grants, wanted))
    throw denied(`${actor.id} cannot grant more than it holds: name team_ids and issuer_ids within its own`);
}
