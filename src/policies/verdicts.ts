import type { Database } from "../platform/database.ts";
import { evaluate, type Rule } from "./evaluate.ts";
import { findFacts, liveRules } from "./store.ts";

/** A rule in force, and what a certificate violates of it; an empty message: nothing. */
export type Verdict = Pick<Rule, "id" | "name" | "severity" | "mode"> & { message: string };

/** How a certificate stands by every rule in force. An archived one is held to none. */
export async function verdictsOn(db: Database, certificateId: string, now: Date): Promise<Verdict[]> {
  const [rules, facts] = await Promise.all([liveRules(db), findFacts(db, certificateId)]);
  if (!facts) return [];
  const findings = evaluate(rules, facts, now);
  return rules.map(({ id, name, severity, mode }) => ({
    id,
    name,
    severity,
    mode,
    message: findings.find(({ rule }) => rule.id === id)?.message ?? "",
  }));
}
