import { z } from "zod";
import { type CertificateFacts, defineRuleType, distinct } from "./rule-type.ts";

export const allowedIssuers = defineRuleType({
  type: "AllowedIssuers",
  title: "One of these issuers signs",
  config: z.strictObject({ allowed_issuer_ids: distinct(z.string().min(1)) }),
  check({ issuerId }, { allowed_issuer_ids: allowed }) {
    if (allowed.includes(issuerId)) return [];
    const description = `${issuerId} is not among the allowed issuers ${allowed.join(", ")}`;
    return [{ field: "issuer_id", description }];
  },
});

export const allowedEnvironments = defineRuleType({
  type: "AllowedEnvironments",
  title: "The environment is one of these",
  config: z.strictObject({ allowed: distinct(z.string().min(1).max(128)) }),
  check({ environment }, { allowed }) {
    if (allowed.includes(environment)) return [];
    const found = environment === "" ? "no environment is set" : `"${environment}" is not allowed`;
    return [{ field: "environment", description: `${found}; allowed are ${allowed.join(", ")}` }];
  },
});

const keys = /^(owner|team|environment|tags|tags\..{1,128})$/;

export const requiredMetadata = defineRuleType({
  type: "RequiredMetadata",
  title: "Owner, team, environment or tags are set",
  config: z.strictObject({
    required_keys: distinct(
      z.string().regex(keys, "must be owner, team, environment, tags, or tags.<name> for one tag"),
    ),
  }),
  check(facts, { required_keys: required }) {
    return required
      .filter((key) => !isSet(facts, key))
      .map((key) => ({ field: fieldOf(key), description: `${key} is not set` }));
  },
});

function isSet({ ownerId, teamId, environment, tags }: CertificateFacts, key: string): boolean {
  if (key === "owner") return ownerId !== null;
  if (key === "team") return teamId !== null;
  if (key === "environment") return environment !== "";
  if (key === "tags") return Object.keys(tags).length > 0;
  return Object.hasOwn(tags, key.slice("tags.".length));
}

function fieldOf(key: string): string {
  return key === "owner" || key === "team" ? `${key}_id` : key;
}
