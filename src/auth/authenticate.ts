import type { X509Certificate } from "node:crypto";
import type { AgentIdentity } from "#gen/prisma/client.ts";
import { holdAgents } from "../agents/hold.ts";
import type { Authority } from "../authorities/authority.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { unauthenticated } from "../platform/errors.ts";
import { extendedKeyUsage } from "../x509/extensions.ts";
import { byApiKey } from "./key-credential.ts";
import type { AgentPrincipal, Principal } from "./principal.ts";
import { bySession } from "./session-credential.ts";

/** Finds out who calls. Null: no credential at all. Throws Unauthenticated for one that does not hold. */
export type Authenticate = (credentials: {
  authorization: string | null;
  /** What a session's cookie holds; it counts only where nothing else is given on purpose. */
  session: { token: string; isUse: boolean } | null;
  certificate: X509Certificate | null;
}) => Promise<Principal | null>;

export function createAuthenticate(options: {
  db: Database;
  agentCa: Authority;
  agentAuth: "mtls" | "api_key" | "both";
  clock: () => Date;
}): Authenticate {
  const { db, agentCa, agentAuth, clock } = options;
  return async ({ authorization, session, certificate }) => {
    if (authorization !== null) {
      const principal = await byApiKey(db, authorization, clock());
      if (principal.kind === "agent" && agentAuth === "mtls")
        throw unauthenticated("agents authenticate by certificate here");
      return principal;
    }
    if (session) return bySession(db, session, clock());
    if (!certificate) return null;
    if (agentAuth === "api_key") throw unauthenticated("agents authenticate by API key here");
    return byCertificate({ db, agentCa, certificate, now: clock() });
  };
}

/**
 * The identity behind a client certificate. TLS verified the chain up to the system root; here the agent CA itself must
 * be the issuer, so that no other certificate of that tree passes, and (issuer, serial) must be one that is in force.
 */
async function byCertificate(options: {
  db: Database;
  agentCa: Authority;
  certificate: X509Certificate;
  now: Date;
}): Promise<AgentPrincipal> {
  const { db, agentCa, certificate, now } = options;
  const isAgentLeaf =
    !certificate.ca &&
    certificate.checkIssued(agentCa.certificate) &&
    certificate.verify(agentCa.certificate.publicKey) &&
    (certificate.keyUsage ?? []).includes(extendedKeyUsage.clientAuth);
  if (!isAgentLeaf) throw unauthenticated("the client certificate is not an agent's", "NOT_AN_AGENT");
  const notAfter = new Date(certificate.validTo);
  if (notAfter <= now)
    throw unauthenticated("the agent's certificate has expired; join again", "IDENTITY_EXPIRED");
  const serial = certificate.serialNumber.toUpperCase();
  const key = { authorityId: agentCa.id, serial };
  const identity = await db.agentIdentity.findUnique({ where: { authorityId_serial: key } });
  if (!identity || identity.retiredAt)
    throw unauthenticated("the agent's certificate is no longer in force", "IDENTITY_ENDED");
  if (!identity.activatedAt) await activate(db, identity, now);
  return { kind: "agent", id: identity.agentId, credential: { kind: "certificate", ...key, notAfter } };
}

/** The first use of a new identity ends those before it, used or not. */
async function activate(
  db: Database,
  { authorityId, serial, agentId, createdAt }: AgentIdentity,
  now: Date,
): Promise<void> {
  await db.$transaction([
    db.agentIdentity.update({
      where: { authorityId_serial: { authorityId, serial } },
      data: { activatedAt: now },
    }),
    db.agentIdentity.updateMany({
      where: { agentId, retiredAt: null, createdAt: { lte: createdAt }, NOT: { authorityId, serial } },
      data: { retiredAt: now },
    }),
  ]);
}

/** Reads again, in the transaction of a write, that the agent's credential is in force, and keeps the agent from being retired. */
export async function requireInForce(tx: Transaction, principal: AgentPrincipal): Promise<void> {
  const [refusal] = await refusalsOf(tx, [principal]);
  if (refusal) throw refusal;
}

/** The same for many agents: why each is refused, or null. */
export async function refusalsOf(
  tx: Transaction,
  principals: readonly AgentPrincipal[],
): Promise<(Error | null)[]> {
  await holdAgents(tx, [...new Set(principals.map(({ id }) => id))]);
  const credentials = principals.map(({ credential }) => credential);
  const keyIds = credentials.flatMap((each) => (each.kind === "api_key" ? [each.id] : []));
  const certificates = credentials.flatMap((each) => (each.kind === "certificate" ? [each] : []));
  const keys = new Set(await keysInForce(tx, [...new Set(keyIds)]));
  const identities = new Set(await identitiesInForce(tx, certificates));
  return credentials.map((each) => {
    if (each.kind === "api_key")
      return keys.has(each.id)
        ? null
        : unauthenticated("the agent's API key is no longer in force", "IDENTITY_ENDED");
    return identities.has(`${each.authorityId} ${each.serial}`)
      ? null
      : unauthenticated("the agent's certificate is no longer in force", "IDENTITY_ENDED");
  });
}

async function keysInForce(tx: Transaction, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM api_keys WHERE id = ANY(${[...ids]}::text[]) AND revoked_at IS NULL`;
  return rows.map(({ id }) => id);
}

async function identitiesInForce(
  tx: Transaction,
  certificates: readonly { authorityId: string; serial: string }[],
): Promise<string[]> {
  if (certificates.length === 0) return [];
  const authorityIds = [...new Set(certificates.map(({ authorityId }) => authorityId))];
  const serials = certificates.map(({ serial }) => serial);
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT authority_id || ' ' || serial AS id FROM agent_identities
    WHERE authority_id = ANY(${authorityIds}::text[]) AND serial = ANY(${serials}::text[]) AND retired_at IS NULL`;
  return rows.map(({ id }) => id);
}
