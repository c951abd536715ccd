import type { JsonObject } from "@bufbuild/protobuf";
import type { Problem } from "./problem.ts";

/** A challenge as the CA last showed it. */
export interface ChallengeState {
  type: string;
  url: string;
  /** pending, processing, valid, invalid. */
  status: string;
  problem: Problem | null;
}

/** An authorization as the CA last showed it: whether a name is ours. */
export interface AuthorizationState {
  url: string;
  /** A DNS name without "*.", or an IP address. */
  identifier: string;
  isWildcard: boolean;
  /** pending, valid, invalid, deactivated, expired, revoked. */
  status: string;
  challenges: ChallengeState[];
}

/** An order as the CA last showed it. */
export interface PlacedOrder {
  /** Its Location: what names it after a crash. */
  url: string;
  /** pending, ready, processing, valid, invalid; "unknown" where the CA does not know it any more. */
  status: string;
  /** Committed before the CA is asked to sign: from then on it may have. */
  isFinalizing: boolean;
  /** RFC 9773: it was said which certificate this one replaces. */
  isReplacement: boolean;
  problem: Problem | null;
  authorizations: AuthorizationState[];
  placedAt: string;
}

/** What is remembered for a key: the order that is open, and those that came to nothing. */
export interface OrderState {
  open: PlacedOrder | null;
  closed: PlacedOrder[];
}

/** As many orders that failed are kept, the newest. */
const mostClosed = 20;

export function readState(stored: JsonObject | null): OrderState {
  return stored === null ? { open: null, closed: [] } : (stored as unknown as OrderState);
}

/** The form that is stored. */
export function storedState(state: OrderState): JsonObject {
  return JSON.parse(JSON.stringify(state)) as JsonObject;
}

/** The open order has come to nothing; the next attempt places another. */
export function closeOrder({ open, closed }: OrderState): OrderState {
  return { open: null, closed: [...closed, ...(open ? [open] : [])].slice(-mostClosed) };
}
