import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** What of a JSON Schema forms are drawn from. `secret` is certctl's own mark. */
export interface Schema {
  type?: string;
  title?: string;
  description?: string;
  default?: JsonValue;
  enum?: JsonValue[];
  const?: JsonValue;
  secret?: boolean;
  format?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
}

export type FieldKind = "text" | "long" | "secret" | "number" | "choice" | "flag" | "list" | "json";

/** One control of a form. */
export interface FormField {
  /** As the API names it within the configuration: "auth.password". */
  name: string;
  /** What it lies in; empty at the top. */
  group: string;
  label: string;
  hint: string;
  kind: FieldKind;
  isRequired: boolean;
  choices: string[];
  /** What holds when it is left empty, as text. */
  fallback: string;
  minimum: number | undefined;
  maximum: number | undefined;
}

/** What is typed, by the fields' names; texts until it is sent. */
export type Draft = Readonly<Record<string, string | boolean>>;

/** A text that may be longer than this is typed in several lines. */
const longFrom = 4_096;

/** The controls of a configuration, in the schema's order; those of an object within it follow with its name in front. */
export function fieldsOf(schema: Schema, prefix = "", group = ""): FormField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, node]) => {
    const name = prefix + key;
    if (node.type === "object" && node.properties)
      return fieldsOf(node, `${name}.`, node.title ?? labelOf(key));
    const isRequired = (schema.required?.includes(key) ?? false) && node.default === undefined;
    return [
      {
        name,
        group,
        label: node.title ?? labelOf(key),
        hint: node.description ?? "",
        kind: kindOf(node),
        isRequired,
        choices: (node.enum ?? []).map(String),
        fallback: node.default === undefined ? "" : String(node.default),
        minimum: node.minimum,
        maximum: node.maximum,
      },
    ];
  });
}

function kindOf(node: Schema): FieldKind {
  if (node.enum) return "choice";
  if (node.type === "boolean") return "flag";
  if (node.type === "integer" || node.type === "number") return "number";
  if (node.type === "array" && node.items?.type === "string") return "list";
  if (node.type !== "string") return "json";
  if (node.secret) return "secret";
  return (node.maxLength ?? 0) > longFrom ? "long" : "text";
}

const abbreviations = new Set(["api", "ca", "url", "id", "ids", "dns", "eab", "tls", "http", "ip"]);

/** "webhook_url" as people read it: "Webhook URL". */
export function labelOf(key: string): string {
  const words = key
    .split("_")
    .map((word) => (abbreviations.has(word) ? word.toUpperCase().replace("IDS", "IDs") : word));
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a form begins with: a configuration as it is stored. */
export function draftOf(fields: readonly FormField[], config: JsonObject): Draft {
  return Object.fromEntries(fields.map((field) => [field.name, typedOf(field, valueAt(config, field.name))]));
}

function typedOf({ kind }: FormField, value: JsonValue | undefined): string | boolean {
  if (kind === "flag") return value === true;
  if (value === undefined || value === null) return "";
  if (kind === "list" && Array.isArray(value)) return value.join("\n");
  return kind === "json" ? JSON.stringify(value, null, 2) : String(value);
}

function valueAt(config: JsonObject, name: string): JsonValue | undefined {
  return name
    .split(".")
    .reduce<JsonValue | undefined>(
      (value, part) =>
        typeof value === "object" && value !== null && !Array.isArray(value) ? value[part] : undefined,
      config,
    );
}

/** The configuration that a draft says. What is empty is left out; what is no number or JSON is sent as it was typed. */
export function configOf(fields: readonly FormField[], draft: Draft): JsonObject {
  const config: JsonObject = {};
  for (const field of fields) {
    const value = meantBy(field, draft[field.name] ?? "");
    if (value === undefined) continue;
    const path = field.name.split(".");
    const last = path.pop() ?? "";
    let place = config;
    for (const part of path) {
      const inner = (place[part] ?? {}) as JsonObject;
      place[part] = inner;
      place = inner;
    }
    place[last] = value;
  }
  return config;
}

function meantBy({ kind }: FormField, typed: string | boolean): JsonValue | undefined {
  if (typeof typed === "boolean") return typed;
  if (typed.trim() === "") return undefined;
  if (kind === "number") return Number.isNaN(Number(typed)) ? typed : Number(typed);
  if (kind === "list") return itemsOf(typed);
  if (kind !== "json") return typed;
  try {
    return JSON.parse(typed);
  } catch {
    return typed;
  }
}

/** Entries that are separated by new lines or commas. */
function itemsOf(typed: string): string[] {
  return typed
    .split(/[\n,]/)
    .map((item) => item.trim())
    .filter(Boolean);
}
