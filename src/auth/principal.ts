import type { TLSSocket } from "node:tls";
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

/** The connection that the call came over. */
export const socketKey = createContextKey<TLSSocket | null>(null, { description: "socket" });

export function actorOf(principal: Principal, requestId: string): Actor {
  return { type: principal.kind === "agent" ? "Agent" : "APIKey", id: principal.id, requestId };
}
