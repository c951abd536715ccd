import type { JsonObject } from "@bufbuild/protobuf";
import type { AuthorizationDescription, OrderDescription } from "../order-description.ts";
import { type AuthorizationState, type ChallengeState, type PlacedOrder, readState } from "./state.ts";

/** What was placed for a key, oldest first, and what the CA said of it. */
export function describeOrders(stored: JsonObject): OrderDescription[] {
  const { open, closed } = readState(stored);
  return [...closed.map((order) => described(order, true)), ...(open ? [described(open, false)] : [])];
}

function described(order: PlacedOrder, closed: boolean): OrderDescription {
  const { url, status, placedAt, problem, authorizations } = order;
  return {
    ...{ url, status, closed },
    placedAt: new Date(placedAt),
    problem: problem ?? undefined,
    authorizations: authorizations.map(isValidated(order) ? validated : authorization),
  };
}

/** The CA takes an order that far once it has found every name to be ours (RFC 8555, 7.1.6), and is not asked for them again. */
function isValidated({ status }: PlacedOrder): boolean {
  return ["ready", "processing", "valid"].includes(status);
}

function authorization(state: AuthorizationState): AuthorizationDescription {
  const { identifier, isWildcard: wildcard, status, challenges } = state;
  return {
    ...{ identifier, wildcard, status },
    challenges: challenges.map((challenge) => ({
      type: challenge.type,
      status: challenge.status,
      lookedAt: placeOf(challenge, identifier),
      problem: challenge.problem ?? undefined,
    })),
  };
}

function validated(state: AuthorizationState): AuthorizationDescription {
  const { challenges, ...rest } = authorization(state);
  const answered = challenges.filter(({ status }) => status === "valid" || status === "invalid");
  return { ...rest, status: "valid", challenges: answered };
}

/** Where the CA looks first; it follows redirects and CNAMEs from there. */
function placeOf({ type }: ChallengeState, identifier: string): string {
  const host = identifier.includes(":") ? `[${identifier}]` : identifier;
  switch (type) {
    case "http-01":
      return `http://${host}/.well-known/acme-challenge/`;
    case "dns-01":
      return `_acme-challenge.${identifier} TXT`;
    case "tls-alpn-01":
      return `${host}:443`;
    default:
      return "";
  }
}
