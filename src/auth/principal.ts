import type { X509Certificate } from "node:crypto";
import { createContextKey } from "@connectrpc/connect";
import type { Actor } from "../audit/record.ts";

/** An operator, known by API key. */
export interface Operator {
  kind: "operator";
  /** "ak-…". */
  id: string;
  role: "admin";
}

/** An agent, known by its client certificate or its API key. */
export interface AgentPrincipal {
  kind: "agent";
  /** "ag-…". */
  id: string;
  credential:
    | { kind: "certificate"; authorityId: string; serial: string; notAfter: Date }
    | { kind: "api_key"; id: string };
}

export type Principal = Operator | AgentPrincipal;

/** Who calls; null until the call is authenticated. */
export const principalKey = createContextKey<Principal | null>(null, { description: "principal" });

/** The client's certificate, if TLS verified one up to the system root. */
export const certificateKey = createContextKey<X509Certificate | null>(null, {
  description: "client certificate",
});

export function actorOf(principal: Principal, requestId: string): Actor {
  return { type: principal.kind === "agent" ? "Agent" : "APIKey", id: principal.id, requestId };
}
