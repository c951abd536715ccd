import { ruleTypeByName } from "./registry.ts";
import type { CertificateFacts, Check, Offence } from "./rule-type.ts";

/** A rule in force. */
export interface Rule {
  id: string;
  name: string;
  severity: "Warning" | "Error" | "Critical";
  mode: "audit" | "enforce";
  check: Check;
}

/** What a certificate violates. */
export interface Finding {
  rule: Rule;
  offences: Offence[];
  /** What the violation says. */
  message: string;
}

/** How a rule of a type checks. A type that this server does not know finds nothing. */
export function checkOf(type: string, config: unknown): Check {
  return ruleTypeByName.get(type)?.checkBy(config) ?? (() => []);
}

/** Everything that a certificate violates. Pure. */
export function evaluate(rules: readonly Rule[], facts: CertificateFacts, now: Date): Finding[] {
  return rules.flatMap((rule) => {
    const offences = rule.check(facts, now);
    return offences.length > 0 ? [{ rule, offences, message: messageOf(offences) }] : [];
  });
}

export function messageOf(offences: readonly Offence[]): string {
  return offences.map(({ description }) => description).join("; ");
}
