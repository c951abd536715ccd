import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { z } from "zod";
import { type FieldViolation, invalid } from "../platform/errors.ts";

/**
 * What a connector's schema says of a field by `.meta()`. `secret`: a text that is sealed in the database and masked in
 * answers. `destination`: where a secret is sent to, or what decides whether the other side is the right one (url, host, port,
 * proxy, CA, verification).
 */
export type Mark = "secret" | "destination";

/** Where a field lies in a configuration: ["auth", "password"]. */
export type FieldPath = readonly (string | number)[];

interface SchemaNode {
  secret?: boolean;
  destination?: boolean;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode | boolean;
  items?: SchemaNode | boolean;
  prefixItems?: SchemaNode[];
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  allOf?: SchemaNode[];
}

/** The JSON Schema of a kind's configuration, marks included: forms are drawn from it. */
export function configSchema(schema: z.ZodType): JsonObject {
  return z.toJSONSchema(schema, { io: "input" }) as JsonObject;
}

/** The fields of a configuration that bear a mark, and are there. */
export function markedFields(schema: z.ZodType, config: JsonObject, mark: Mark): FieldPath[] {
  return [...new Map(visit(configSchema(schema) as SchemaNode, config, mark, []))].map(([, path]) => path);
}

function visit(
  node: SchemaNode | boolean | undefined,
  value: JsonValue | undefined,
  mark: Mark,
  path: FieldPath,
): [string, FieldPath][] {
  if (typeof node !== "object" || value === undefined || value === null) return [];
  if (node[mark]) return [[pathText(path), path]];
  const alternatives = [node.anyOf, node.oneOf, node.allOf].flatMap((nodes) => nodes ?? []);
  const found = alternatives.flatMap((alternative) => visit(alternative, value, mark, path));
  if (Array.isArray(value)) {
    const inner = value.flatMap((item, index) =>
      visit(node.prefixItems?.[index] ?? node.items, item, mark, [...path, index]),
    );
    return [...found, ...inner];
  }
  if (typeof value !== "object") return found;
  const inner = Object.entries(value).flatMap(([key, item]) =>
    visit(node.properties?.[key] ?? node.additionalProperties, item, mark, [...path, key]),
  );
  return [...found, ...inner];
}

/** As callers write it: "config.auth.password", "config.headers[0]". */
export function pathText(path: FieldPath): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : `${text}.${part}`),
    "config",
  );
}

export function valueAt(config: JsonValue, path: FieldPath): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (value, part) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, part)
        ? (value as Record<string | number, JsonValue>)[part]
        : undefined,
    config,
  );
}

/** A copy in which the value at each path is replaced. */
export function replaceAt(
  config: JsonObject,
  paths: readonly FieldPath[],
  replace: (value: JsonValue, path: FieldPath) => JsonValue,
): JsonObject {
  const copy = structuredClone(config);
  for (const path of paths) {
    const parent = valueAt(copy, path.slice(0, -1));
    const last = path.at(-1);
    if (typeof parent !== "object" || parent === null || last === undefined) continue;
    const slots = parent as Record<string | number, JsonValue>;
    const value = slots[last];
    if (value !== undefined) slots[last] = replace(value, path);
  }
  return copy;
}

/** The configuration as its kind's schema reads it; every problem is reported at once. */
export function readConfig(schema: z.ZodType, config: JsonObject): JsonObject {
  const read = z.safeParse(schema, config, { error: wrongType });
  if (read.success) return read.data as JsonObject;
  const violations: FieldViolation[] = read.error.issues.map(({ path, message }) => ({
    field: ["config", ...path].join("."),
    description: message,
  }));
  const [first, ...others] = violations;
  throw first ? invalid(first, ...others) : read.error;
}

/** In the words of the other checks of a request. */
function wrongType({ code, input, expected }: z.core.$ZodRawIssue): string | undefined {
  if (code !== "invalid_type") return undefined;
  return input === undefined ? "is missing" : `must be ${/^[aeio]/.test(expected) ? "an" : "a"} ${expected}`;
}
