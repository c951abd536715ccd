import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** What a rule asks for, as a sentence; a type that only a newer control plane knows is said by its configuration. */
export function sentenceOf(type: string, config: JsonObject | undefined): string {
  const values = config ?? {};
  const list = (name: string) => words(values[name]);
  switch (type) {
    case "CertificateLifetime":
      return `Certificates last ${values["max_days"]} days at most`;
    case "RenewalLeadTime":
      return `Certificates are renewed at least ${values["lead_time_days"]} days before their end`;
    case "AllowedDomains":
      return `Names lie in ${list("allowed_domains")}`;
    case "AllowedIssuers":
      return `${list("allowed_issuer_ids")} signs`;
    case "AllowedEnvironments":
      return `The environment is ${list("allowed")}`;
    case "RequiredMetadata":
      return `Certificates say their ${words(values["required_keys"], "and")}`;
    default:
      return `${type}: ${JSON.stringify(values)}`;
  }
}

function words(value: JsonValue | undefined, joined: "or" | "and" = "or"): string {
  const texts = Array.isArray(value) ? value.map(String) : [];
  if (texts.length === 0) return "nothing";
  if (texts.length === 1) return texts[0] ?? "";
  return `${texts.slice(0, -1).join(", ")} ${joined} ${texts.at(-1)}`;
}
