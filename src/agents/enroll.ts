import type { JoinToken } from "#gen/prisma/client.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { requireInForce } from "../auth/authenticate.ts";
import { unrestricted } from "../auth/grants.ts";
import type { AgentPrincipal } from "../auth/principal.ts";
import { isSecret, parseToken } from "../auth/secrets.ts";
import { type Database, isUniqueViolation, type Transaction } from "../platform/database.ts";
import { conflict, unauthenticated } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import type { Csr } from "../x509/csr.ts";
import { sha256 } from "../x509/keys.ts";
import { endSessions } from "./end-sessions.ts";
import { holdAgent } from "./hold.ts";
import { type IdentityDeps, identityPem, issueIdentity, readIdentityCsr } from "./identity.ts";

export interface EnrollDeps extends IdentityDeps {
  db: Database;
  clock: () => Date;
}

/** A use of a join token may be repeated with the same key within this time: the first answer may have been lost. */
const repeatWithinMs = 15 * 60_000;

/** Lets an agent join by token. Returns its id and its client certificate, PEM. */
export async function enroll(
  deps: EnrollDeps,
  requestId: string,
  request: { token: string; csrPem: string; name: string; hostname: string },
): Promise<{ agentId: string; certificatePem: string }> {
  const { db, clock } = deps;
  const csr = readIdentityCsr(request.csrPem);
  try {
    return await db.$transaction(async (tx) => {
      const now = clock();
      const token = await lockToken(tx, request.token);
      const repeated = await repeatedUse(tx, deps, { token, csr, now });
      if (repeated) return repeated;
      if (token.expiresAt <= now)
        throw unauthenticated("the join token has expired; make a new one", "TOKEN_EXPIRED");
      if (token.uses >= token.maxUses)
        throw unauthenticated("the join token was used; make a new one", "TOKEN_USED");
      await requireFreshKey(tx, csr);
      await tx.joinToken.update({ where: { id: token.id }, data: { uses: { increment: 1 } } });
      const agentId = await joiningAgent(tx, token, request, now);
      const certificatePem = await issueIdentity(tx, deps, { agentId, csr, joinTokenId: token.id, now });
      await recordAudit(
        tx,
        { type: "Agent", id: agentId, requestId, grants: unrestricted },
        {
          action: "agent_enrolled",
          resourceType: "agent",
          resourceId: agentId,
          details: { join_token_id: token.id, hostname: request.hostname },
        },
      );
      return { agentId, certificatePem };
    });
  } catch (error) {
    if (isUniqueViolation(error, "spki")) throw keyReused();
    throw error;
  }
}

/** Gives an agent a certificate over a new key. Returns it as PEM. */
export async function renewIdentity(
  deps: EnrollDeps,
  caller: { principal: AgentPrincipal; actor: Actor },
  csrPem: string,
): Promise<string> {
  const { db, clock } = deps;
  const { principal, actor } = caller;
  const csr = readIdentityCsr(csrPem);
  try {
    return await db.$transaction(async (tx) => {
      await requireInForce(tx, principal);
      await requireFreshKey(tx, csr);
      const certificatePem = await issueIdentity(tx, deps, {
        agentId: principal.id,
        csr,
        joinTokenId: null,
        now: clock(),
      });
      await recordAudit(tx, actor, {
        action: "agent_identity_renewed",
        resourceType: "agent",
        resourceId: principal.id,
      });
      return certificatePem;
    });
  } catch (error) {
    if (isUniqueViolation(error, "spki")) throw keyReused();
    throw error;
  }
}

async function lockToken(tx: Transaction, text: string): Promise<JoinToken> {
  const parsed = parseToken(text, "jt");
  const refused = unauthenticated("the join token is unknown or wrong", "TOKEN_UNKNOWN");
  if (!parsed) throw refused;
  await tx.$queryRaw`SELECT id FROM join_tokens WHERE id = ${parsed.id} FOR UPDATE`;
  const token = await tx.joinToken.findUnique({ where: { id: parsed.id } });
  if (!token || !isSecret(parsed.secret, token.secretHash)) throw refused;
  return token;
}

async function repeatedUse(
  tx: Transaction,
  { authorities }: IdentityDeps,
  { token, csr, now }: { token: JoinToken; csr: Csr; now: Date },
): Promise<{ agentId: string; certificatePem: string } | null> {
  const identity = await tx.agentIdentity.findUnique({
    where: { spkiSha256: new Uint8Array(sha256(csr.spki)) },
  });
  if (!identity || identity.joinTokenId !== token.id || identity.retiredAt) return null;
  if (now.getTime() - identity.createdAt.getTime() > repeatWithinMs) return null;
  return {
    agentId: identity.agentId,
    certificatePem: identityPem(identity.certificate, authorities.byRole["agent-ca"]),
  };
}

/** The agent that the token makes, or an existing one whose old identities end with it. */
async function joiningAgent(
  tx: Transaction,
  token: JoinToken,
  { name, hostname }: { name: string; hostname: string },
  now: Date,
): Promise<string> {
  const id = token.agentId ?? newId("ag");
  const existing = await holdAgent(tx, id);
  if (!existing) {
    await tx.agent.create({ data: { id, name: name || hostname || id, hostname } });
    return id;
  }
  if (existing.retiredAt)
    throw conflict("AGENT_RETIRED", `agent ${id} is retired; an operator has to restore it first`);
  await tx.agent.update({ where: { id }, data: { hostname } });
  await tx.agentIdentity.updateMany({ where: { agentId: id, retiredAt: null }, data: { retiredAt: now } });
  await endSessions(tx, id);
  return id;
}

/** An identity's key is no certificate's and no CA's; that it is no other identity's, a unique index says. */
async function requireFreshKey(tx: Transaction, csr: Csr): Promise<void> {
  const where = { spkiSha256: new Uint8Array(sha256(csr.spki)) };
  const uses = [await tx.job.count({ where }), await tx.authority.count({ where })];
  if (uses.some((count) => count > 0)) throw keyReused();
}

function keyReused() {
  return conflict("KEY_REUSED", "the CSR's key is in use already; make a new one", [
    { field: "csr_pem", description: "must be made with a new key" },
  ]);
}
