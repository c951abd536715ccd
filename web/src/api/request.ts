import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { RestRule } from "../../../src/rest/binding.ts";
import { parseTemplate } from "../../../src/rest/path-router.ts";

export interface RestRequest {
  /** Path and query. */
  url: string;
  init: { method: string; headers: Record<string, string>; body?: string };
}

/** The HTTP request of a call, as the gateway takes it: path variables, then the body or the query. */
export function requestOf(rule: RestRule, input: JsonObject): RestRequest {
  const names = new Set<string>();
  const segments = parseTemplate(rule.path).map((segment) => {
    if (segment.kind === "literal") return segment.text;
    names.add(segment.name);
    return encodeURIComponent(String(input[segment.name] ?? ""));
  });
  const path = `/${segments.join("/")}`;
  const rest = Object.fromEntries(
    Object.entries(input).filter(([name, value]) => !names.has(name) && value !== null),
  );
  if (rule.body === undefined) return { url: path + queryOf(rest), init: { method: rule.verb, headers: {} } };
  const body = rule.body === "*" ? rest : (input[rule.body.name] ?? {});
  return {
    url: path,
    init: {
      method: rule.verb,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    },
  };
}

/** What is not set is left out: zero, false and the empty text mean that. */
function queryOf(fields: JsonObject): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    // In a list an empty text is a value: "those without an owner".
    if (Array.isArray(value)) for (const each of value) query.append(name, String(each));
    else if (isSet(value)) query.append(name, String(value));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

function isSet(value: JsonValue): boolean {
  return value !== "" && value !== 0 && value !== false && typeof value !== "object";
}
