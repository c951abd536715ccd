import { allowedDomains } from "./domains.ts";
import { certificateLifetime, renewalLeadTime } from "./lifetimes.ts";
import { allowedEnvironments, allowedIssuers, requiredMetadata } from "./ownership.ts";
import type { KnownRuleType } from "./rule-type.ts";

/** Every type of rule, in the order in which it is offered. A new type is added here. */
export const ruleTypes: readonly KnownRuleType[] = [
  allowedIssuers,
  allowedDomains,
  requiredMetadata,
  allowedEnvironments,
  renewalLeadTime,
  certificateLifetime,
];

export const ruleTypeByName: ReadonlyMap<string, KnownRuleType> = new Map(
  ruleTypes.map((ruleType) => [ruleType.type, ruleType]),
);
