import type { X509Certificate } from "node:crypto";
import type { AgentIdentity } from "#gen/prisma/client.ts";
import { holdAgent } from "../agents/hold.ts";
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
export async function requireInForce(tx: Transaction, { id, credential }: AgentPrincipal): Promise<void> {
  await holdAgent(tx, id);
  if (credential.kind === "api_key") {
    const key = await tx.apiKey.findUnique({ where: { id: credential.id } });
    if (!key || key.revokedAt)
      throw unauthenticated("the agent's API key is no longer in force", "IDENTITY_ENDED");
    return;
  }
  const { authorityId, serial } = credential;
  const identity = await tx.agentIdentity.findUnique({
    where: { authorityId_serial: { authorityId, serial } },
  });
  if (!identity || identity.retiredAt)
    throw unauthenticated("the agent's certificate is no longer in force", "IDENTITY_ENDED");
}
