import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** What of a JSON Schema forms are drawn from. `secret` and `command` are certctl's own marks. */
export interface Schema {
  type?: string;
  title?: string;
  description?: string;
  default?: JsonValue;
  enum?: JsonValue[];
  const?: JsonValue;
  secret?: boolean;
  /** The name of a command in server.yaml. */
  command?: boolean;
  format?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  /** Of an object: alternatives that a constant tells apart. */
  oneOf?: Schema[];
}

export type FieldKind =
  | "text"
  | "long"
  | "secret"
  | "long-secret"
  | "number"
  | "choice"
  | "flag"
  | "list"
  | "json";

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
  /** What people call the choices, where that is something else. */
  words: Readonly<Record<string, string>>;
  /** Chosen among the commands in server.yaml. */
  isCommand: boolean;
  /** Shown, and sent, only while another field has this value. */
  when: Condition | undefined;
  /** What holds when it is left empty, as text. */
  fallback: string;
  minimum: number | undefined;
  maximum: number | undefined;
}

/** That a choice was made. */
export interface Condition {
  name: string;
  value: string;
}

/** What is typed, by the fields' names; texts until it is sent. */
export type Draft = Readonly<Record<string, string | boolean>>;

/** A text that may be longer than this is typed in several lines. */
const longFrom = 4_096;
/** Tokens are long, too, and yet of one line. */
const longSecretFrom = 8_192;

/** The controls of a configuration, in the schema's order; those of an object within it follow with its name in front. */
export function fieldsOf(schema: Schema, prefix = "", group = "", when?: Condition): FormField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, node]) => {
    const name = prefix + key;
    if (node.type === "object" && node.properties)
      return fieldsOf(node, `${name}.`, node.title ?? labelOf(key), when);
    const alternatives = alternativesOf(name, node);
    if (alternatives.length > 0) return alternatives;
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
        words: {},
        isCommand: node.command === true,
        when,
        fallback: node.default === undefined ? "" : String(node.default),
        minimum: node.minimum,
        maximum: node.maximum,
      },
    ];
  });
}

/** The choice between the alternatives of an object, and the fields of each; none where there is no constant that tells. */
function alternativesOf(
  name: string,
  { title, description, default: fallback, oneOf = [] }: Schema,
): FormField[] {
  const key = Object.keys(oneOf[0]?.properties ?? {}).find((each) =>
    oneOf.every(({ properties }) => properties?.[each]?.const !== undefined),
  );
  if (key === undefined) return [];
  const label = title ?? labelOf(name.split(".").at(-1) ?? name);
  const choices = oneOf.map(({ properties }) => String(properties?.[key]?.const));
  const told = oneOf.map(({ title: word }, index) => [choices[index] ?? "", word ?? choices[index] ?? ""]);
  const choice: FormField = {
    name: `${name}.${key}`,
    group: label,
    label: labelOf(key),
    hint: description ?? "",
    kind: "choice",
    isRequired: fallback === undefined,
    choices,
    words: Object.fromEntries(told),
    isCommand: false,
    when: undefined,
    fallback: "",
    minimum: undefined,
    maximum: undefined,
  };
  const inner = oneOf.flatMap(({ properties = {}, required = [] }, index) => {
    const { [key]: _told, ...others } = properties;
    const when = { name: choice.name, value: choices[index] ?? "" };
    return fieldsOf({ properties: others, required }, `${name}.`, label, when);
  });
  return [choice, ...inner];
}

/** Those that what was chosen leaves. */
export function shownFields(fields: readonly FormField[], draft: Draft): FormField[] {
  return fields.filter(({ when }) => when === undefined || draft[when.name] === when.value);
}

function kindOf(node: Schema): FieldKind {
  if (node.enum || node.command) return "choice";
  if (node.type === "boolean") return "flag";
  if (node.type === "integer" || node.type === "number") return "number";
  if (node.type === "array" && node.items?.type === "string") return "list";
  if (node.type !== "string") return "json";
  const length = node.maxLength ?? 0;
  if (node.secret) return length > longSecretFrom ? "long-secret" : "secret";
  return length > longFrom ? "long" : "text";
}

const abbreviations = new Set([
  "api",
  "arn",
  "aws",
  "ca",
  "dns",
  "eab",
  "http",
  "id",
  "ids",
  "ip",
  "tls",
  "url",
]);

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

function typedOf({ kind, fallback }: FormField, value: JsonValue | undefined): string | boolean {
  if (kind === "flag") return (value ?? fallback === "true") === true;
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
  for (const field of shownFields(fields, draft)) {
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
