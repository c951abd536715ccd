import { describe, expect, test } from "vitest";
import { sentenceOf } from "./sentence.ts";

describe("a rule's sentence", () => {
  test.each([
    ["CertificateLifetime", { max_days: 90 }, "Certificates last 90 days at most"],
    ["RenewalLeadTime", { lead_time_days: 14 }, "Certificates are renewed at least 14 days before their end"],
    [
      "AllowedDomains",
      { allowed_domains: ["a.example", "*.b.example"] },
      "Names lie in a.example or *.b.example",
    ],
    ["AllowedIssuers", { allowed_issuer_ids: ["iss-local"] }, "iss-local signs"],
    [
      "AllowedEnvironments",
      { allowed: ["production", "staging", "test"] },
      "The environment is production, staging or test",
    ],
    ["RequiredMetadata", { required_keys: ["owner", "team"] }, "Certificates say their owner and team"],
    ["FromTheFuture", { x: 1 }, 'FromTheFuture: {"x":1}'],
  ])("%s", (type, config, sentence) => {
    expect(sentenceOf(type, config)).toBe(sentence);
  });
});
