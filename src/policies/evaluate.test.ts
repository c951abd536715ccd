import { describe, expect, test } from "vitest";
import { checkOf } from "./evaluate.ts";
import { ruleTypeByName, ruleTypes } from "./registry.ts";
import type { CertificateFacts } from "./rule-type.ts";

const dayMs = 86_400_000;
const now = new Date("2030-06-01T12:00:00Z");

function facts(changes: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    id: "mc-a",
    name: "a",
    commonName: "a.example.com",
    sans: ["a.example.com"],
    issuerId: "iss-local",
    environment: "production",
    ownerId: "o-a",
    teamId: "t-a",
    tags: { tier: "1" },
    validitySeconds: 46 * 86_400,
    autoRenew: true,
    renewalWindowDays: 30,
    notBefore: null,
    notAfter: null,
    ...changes,
  };
}

const offences = (type: string, config: object, changes: Partial<CertificateFacts> = {}) =>
  checkOf(type, config)(facts(changes), now);
const fields = (...args: Parameters<typeof offences>) => offences(...args).map(({ field }) => field);

describe("AllowedIssuers", () => {
  test("wants one of its issuers", () => {
    expect(offences("AllowedIssuers", { allowed_issuer_ids: ["iss-acme", "iss-local"] })).toEqual([]);
    expect(offences("AllowedIssuers", { allowed_issuer_ids: ["iss-acme"] })).toEqual([
      { field: "issuer_id", description: "iss-local is not among the allowed issuers iss-acme" },
    ]);
  });
});

describe("AllowedDomains", () => {
  const within = (allowed: string, san: string) =>
    offences("AllowedDomains", { allowed_domains: [allowed] }, { sans: [san] }).length === 0;

  test.each([
    ["example.com", "example.com", true],
    ["example.com", "a.example.com", false],
    ["*.example.com", "a.example.com", true],
    ["*.example.com", "*.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "a.b.example.com", false],
    ["*.example.com", "*.a.example.com", false],
    ["*.example.com", "a.badexample.com", false],
    ["*.Example.COM", "a.example.com", true],
    ["*.bücher.example", "a.xn--bcher-kva.example", true],
    ["*.example.com", "me@a.example.com", true],
    ["example.com", "me@example.org", false],
    ["a.example.com", "https://a.example.com/path", true],
    ["a.example.com", "https://evil.example/a.example.com", false],
    ["*.example.com", "10.0.0.1", false],
    ["10.0.0.1", "10.0.0.1", true],
  ])("%s stands for %s: %s", (allowed, san, isWithin) => {
    expect(within(allowed, san)).toBe(isWithin);
  });

  test("names every name that lies outside", () => {
    const sans = ["a.example.com", "b.example.com", "c.example.org"];
    expect(fields("AllowedDomains", { allowed_domains: ["b.example.com"] }, { sans })).toEqual([
      "common_name",
      "sans",
    ]);
  });
});

describe("RequiredMetadata", () => {
  const all = { required_keys: ["owner", "team", "environment", "tags", "tags.tier", "tags.pci"] };

  test("wants every key", () => {
    expect(offences("RequiredMetadata", all)).toEqual([
      { field: "tags.pci", description: "tags.pci is not set" },
    ]);
    const bare = { ownerId: null, teamId: null, environment: "", tags: {} };
    expect(fields("RequiredMetadata", all, bare)).toEqual([
      "owner_id",
      "team_id",
      "environment",
      "tags",
      "tags.tier",
      "tags.pci",
    ]);
  });

  test("is not content with what every object has", () => {
    expect(fields("RequiredMetadata", { required_keys: ["tags.constructor"] })).toEqual(["tags.constructor"]);
  });
});

describe("AllowedEnvironments", () => {
  test("wants one of its environments", () => {
    expect(offences("AllowedEnvironments", { allowed: ["production"] })).toEqual([]);
    expect(fields("AllowedEnvironments", { allowed: ["staging"] })).toEqual(["environment"]);
    expect(fields("AllowedEnvironments", { allowed: ["staging"] }, { environment: "" })).toEqual([
      "environment",
    ]);
  });
});

describe("RenewalLeadTime", () => {
  const endsIn = (days: number) => ({ notAfter: new Date(now.getTime() + days * dayMs) });

  test("wants a plan that renews early enough", () => {
    expect(fields("RenewalLeadTime", { lead_time_days: 15 })).toEqual([]);
    expect(fields("RenewalLeadTime", { lead_time_days: 16 })).toEqual(["renewal_policy_id"]);
    expect(fields("RenewalLeadTime", { lead_time_days: 10 }, { renewalWindowDays: 9 })).toEqual([
      "renewal_policy_id",
    ]);
  });

  test("wants the plan to be kept", () => {
    expect(fields("RenewalLeadTime", { lead_time_days: 10 }, endsIn(10))).toEqual([]);
    expect(fields("RenewalLeadTime", { lead_time_days: 10 }, endsIn(9.9))).toEqual([""]);
    expect(fields("RenewalLeadTime", { lead_time_days: 10 }, { autoRenew: false, ...endsIn(9.9) })).toEqual([
      "",
    ]);
    expect(fields("RenewalLeadTime", { lead_time_days: 40 }, { autoRenew: false, ...endsIn(41) })).toEqual(
      [],
    );
  });
});

describe("CertificateLifetime", () => {
  test("wants no longer one than it allows, as it is asked for and as it is", () => {
    expect(fields("CertificateLifetime", { max_days: 46 })).toEqual([]);
    expect(fields("CertificateLifetime", { max_days: 45 })).toEqual(["validity_seconds"]);
    const lasting = (days: number) => ({
      validitySeconds: 86_400,
      notBefore: now,
      notAfter: new Date(now.getTime() + days * dayMs - 1_000),
    });
    expect(fields("CertificateLifetime", { max_days: 46 }, lasting(46))).toEqual([]);
    expect(fields("CertificateLifetime", { max_days: 46 }, lasting(47))).toEqual([""]);
  });
});

test("a type that this server does not know finds nothing", () => {
  expect(checkOf("Unheard", {})(facts(), now)).toEqual([]);
});

test.each([
  ["AllowedIssuers", { allowed_issuer_ids: [] }],
  ["AllowedDomains", { allowed_domains: ["*"] }],
  ["AllowedDomains", { allowed_domains: ["a.*.example.com"] }],
  ["AllowedDomains", { allowed_domains: ["me@example.com"] }],
  ["AllowedDomains", { allowed_domains: ["a.example", "a.example"] }],
  ["RequiredMetadata", { required_keys: ["colour"] }],
  ["AllowedEnvironments", { allowed: [""] }],
  ["RenewalLeadTime", { lead_time_days: 0 }],
  ["CertificateLifetime", { max_days: 1.5 }],
  ["CertificateLifetime", { max_days: 1, sudo: true }],
])("%s refuses the configuration %j", (type, config) => {
  expect(ruleTypeByName.get(type)?.config.safeParse(config).success).toBe(false);
});

test("there are six types, each found by its name", () => {
  expect(ruleTypes.map(({ type }) => type)).toEqual([
    "AllowedIssuers",
    "AllowedDomains",
    "RequiredMetadata",
    "AllowedEnvironments",
    "RenewalLeadTime",
    "CertificateLifetime",
  ]);
  for (const ruleType of ruleTypes) expect(ruleTypeByName.get(ruleType.type)).toBe(ruleType);
});
