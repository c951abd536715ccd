import type { X509Certificate } from "node:crypto";
import { createContextKey } from "@connectrpc/connect";
import type { Actor } from "../audit/record.ts";
import { type Grants, unrestricted } from "./grants.ts";
import type { Role } from "./roles.ts";

/** A person or a program, known by API key. */
export interface Operator {
  kind: "operator";
  /** "ak-…", or "anonymous-admin" where CERTCTL_AUTH_TYPE is none. */
  id: string;
  role: Exclude<Role, "agent">;
  grants: Grants;
  /** The session that the key was given for, when a browser calls. */
  session?: { id: string; expiresAt: Date; idleEndsAt: Date };
}

/** An agent, known by its client certificate or its API key. */
export interface AgentPrincipal {
  kind: "agent";
  /** "ag-…". */
  id: string;
  credential:
    | { kind: "certificate"; authorityId: string; serial: string; notAfter: Date }
    | { kind: "api_key"; id: string; notAfter: Date | null };
}

export type Principal = Operator | AgentPrincipal;

/** Who a call without a credential acts for, where that is allowed at all. */
export const anonymousAdmin: Operator = {
  kind: "operator",
  id: "anonymous-admin",
  role: "admin",
  grants: unrestricted,
};

/** Who calls; null until the call is authenticated. */
export const principalKey = createContextKey<Principal | null>(null, { description: "principal" });

/** The client's certificate, if TLS verified one up to the system root. */
export const certificateKey = createContextKey<X509Certificate | null>(null, {
  description: "client certificate",
});

export function actorOf(principal: Principal, requestId: string): Actor {
  const { id } = principal;
  if (principal.kind === "agent") return { type: "Agent", id, requestId, grants: unrestricted };
  return { type: operatorType(id), id, requestId, grants: principal.grants };
}

/** What an operator is called in the audit. */
export function operatorType(id: string): "User" | "APIKey" {
  return id === anonymousAdmin.id ? "User" : "APIKey";
}
