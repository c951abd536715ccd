import type { DescField, JsonObject, JsonValue, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { invalid } from "../platform/errors.ts";
import type { Binding, RestRule } from "./binding.ts";
import { decodeJson, fieldNamed, isWellKnown, scalars, type Violation } from "./json.ts";

export interface RequestParts {
  /** What the path's variables stand for, by field name. */
  readonly variables: ReadonlyMap<string, string>;
  /** The query without its question mark. */
  readonly search: string;
  readonly body: JsonValue | undefined;
}

/** Builds a method's request from path, query and body. Throws InvalidArgument that names every offending field. */
export function requestMessage(binding: Binding, parts: RequestParts): Message {
  const violations: Violation[] = [];
  const json = fromBody(binding, parts.body);
  addQuery(json, binding, parts, violations);
  addVariables(json, binding, parts.variables, violations);
  const decoded = decodeJson(binding.spec.method.input, json);
  if (decoded.kind === "message" && violations.length === 0) return decoded.message;
  if (decoded.kind === "violations") violations.push(...decoded.violations);
  throw invalid(...(violations as [Violation, ...Violation[]]));
}

function fromBody({ body: place }: Binding, body: JsonValue | undefined): JsonObject {
  if (body === undefined || place === undefined) return {};
  if (place !== "*") return { [place.name]: body };
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new ConnectError("the body must be a JSON object", Code.InvalidArgument);
  return { ...body };
}

function addQuery(json: JsonObject, binding: Binding, parts: RequestParts, violations: Violation[]): void {
  for (const [key, text] of new URLSearchParams(parts.search)) {
    const field = fieldNamed(binding.spec.method.input, key);
    if (!field || !isQueryField(field, binding, [...parts.variables.keys()])) {
      violations.push({ field: key, description: "unknown query parameter" });
      continue;
    }
    const value = parameterValue(field, text);
    const description = parameterViolation(field, value, json[key] !== undefined);
    if (description !== undefined) violations.push({ field: key, description });
    json[key] = field.fieldKind === "list" ? [...((json[key] ?? []) as JsonValue[]), value] : value;
  }
}

/** Whether the query may hold the field: what neither the path nor the body holds, and has a text. */
export function isQueryField(field: DescField, { body }: RestRule, variables: readonly string[]): boolean {
  const isElsewhere = body === "*" || body === field || variables.includes(field.name);
  return !isElsewhere && field.fieldKind !== "map" && (!field.message || isWellKnown(field.message));
}

/** Pages are numbered from 1, and a page of no rows is no page. */
export function isPage({ name }: DescField): boolean {
  return name === "page" || name === "per_page";
}

/** The JSON value that the text stands for; the text itself where it is none, for the codec to refuse. */
function parameterValue({ scalar, enum: words, message }: DescField, text: string): JsonValue {
  if (words || message || scalar === undefined) return text;
  const value = /^(true|false|-?(0|[1-9]\d*)(\.\d+)?)$/.test(text) ? (JSON.parse(text) as JsonValue) : text;
  return scalars[scalar]?.accepts(value) ? value : text;
}

function parameterViolation(field: DescField, value: JsonValue, isGiven: boolean): string | undefined {
  if (isGiven && field.fieldKind !== "list") return "is given more than once";
  // Zero means "left out" in the message, so that only here a given zero can be told from it.
  if (value === 0 && isPage(field)) return "must be at least 1";
  return undefined;
}

/** The path wins over the body; a body that names something else is refused rather than ignored. */
function addVariables(
  json: JsonObject,
  { spec }: Binding,
  variables: RequestParts["variables"],
  violations: Violation[],
): void {
  for (const [name, value] of variables) {
    for (const key of new Set([name, fieldNamed(spec.method.input, name)?.jsonName ?? name])) {
      const inBody = json[key] ?? "";
      if (inBody !== "" && inBody !== value)
        violations.push({ field: key, description: "must be what the path names" });
      delete json[key];
    }
    json[name] = value;
  }
}
