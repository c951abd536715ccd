import { z } from "zod";
import { NameError, parseSan } from "../x509/names.ts";
import { defineRuleType, distinct } from "./rule-type.ts";

const pattern = z.string().transform((text, context) => {
  try {
    const { type, value } = parseSan(text);
    if (type === "dns" || type === "ip") return value;
    context.addIssue({ code: "custom", message: "must be a DNS name, *.example.com, or an IP address" });
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
  return z.NEVER;
});

/** `*.example.com` stands for exactly one label; an IP address only for itself. */
export const allowedDomains = defineRuleType({
  type: "AllowedDomains",
  title: "Names lie in these domains",
  config: z.strictObject({ allowed_domains: distinct(pattern) }),
  check({ commonName, sans }, { allowed_domains: allowed }) {
    const foreign = sans.filter((san) => !allowed.some((domain) => stands(domain, hostOf(san))));
    return foreign.map((san) => ({
      field: san === commonName ? "common_name" : "sans",
      description: `${san} is not among the allowed domains ${allowed.join(", ")}`,
    }));
  },
});

function stands(allowed: string, host: string): boolean {
  if (!allowed.startsWith("*.")) return allowed === host;
  const dot = host.indexOf(".");
  return dot > 0 && host.slice(dot) === allowed.slice(1);
}

/** What of a name is a domain. */
function hostOf(san: string): string {
  const { type, value } = parseSan(san);
  if (type === "email") return value.slice(value.lastIndexOf("@") + 1);
  return type === "uri" ? new URL(value).hostname : value;
}
