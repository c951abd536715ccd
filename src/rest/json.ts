import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescOneof,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { wordOf } from "../platform/words.ts";

/*
 * REST's JSON: snake_case keys, every field present (unset messages, `optional` and oneof members are null), RFC 3339
 * times, enums as words, their unspecified value as null. Input takes lowerCamelCase keys and an enum's full names,
 * too, and null for anything unset: what was read can be written back.
 */

/** One offending field and how to mend it. */
export interface Violation {
  /** Path as the caller wrote it: `sans[1]`. */
  field: string;
  description: string;
}

export type Decoded<Message> =
  | { kind: "message"; message: Message }
  | { kind: "violations"; violations: Violation[] };

/** Writes a message. */
export function encodeJson<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): JsonObject {
  const json = toJson(desc, message, {
    useProtoFieldName: true,
    alwaysEmitImplicit: true,
    enumAsInteger: true,
  });
  return writeMessage(desc, json as JsonObject);
}

/** Reads a message, or names every field that is wrong. */
export function decodeJson<Desc extends DescMessage>(
  desc: Desc,
  json: JsonValue,
): Decoded<MessageShape<Desc>> {
  const violations: Violation[] = [];
  const read = readMessage(desc, json, "", (field, description) => {
    violations.push({ field, description });
    return null;
  });
  if (violations.length > 0) return { kind: "violations", violations };
  // A Struct passed the default limit of depth by itself; inside its message it lies deeper.
  return { kind: "message", message: fromJson(desc, read, { recursionLimit: 200 }) };
}

/** Reads what the gateway wrote. What only a newer control plane knows, a field or a word, is left out. */
export function readJson<Desc extends DescMessage>(desc: Desc, json: JsonValue): MessageShape<Desc> {
  return fromJson(
    desc,
    readMessage(desc, json, "", () => null),
    { recursionLimit: 200 },
  );
}

/** A field by its proto name or its lowerCamelCase name. */
export function fieldNamed(desc: DescMessage, key: string): DescField | undefined {
  return desc.fields.find((field) => field.name === key || field.jsonName === key);
}

/** Whether protobuf gives the type a JSON form of its own: Timestamp, Struct. */
export function isWellKnown(desc: DescMessage): boolean {
  return desc.typeName.startsWith("google.protobuf.");
}

/** The words of an enum that callers read and write. */
export function enumWords(desc: DescEnum): string[] {
  return [...vocabularyOf(desc).words.values()];
}

function writeMessage(desc: DescMessage, json: JsonObject): JsonObject {
  return Object.fromEntries(
    desc.fields.map((field) => {
      const value = json[field.name];
      return [field.name, value === undefined ? null : writeField(field, value)];
    }),
  );
}

function writeField(field: DescField, json: JsonValue): JsonValue {
  if (field.fieldKind === "list") return (json as JsonValue[]).map((item) => writeValue(field, item));
  if (field.fieldKind !== "map") return writeValue(field, json);
  return Object.fromEntries(
    Object.entries(json as JsonObject).map(([key, value]) => [key, writeValue(field, value)]),
  );
}

function writeValue({ enum: words, message }: DescField, json: JsonValue): JsonValue {
  if (words) return writeEnum(words, json as number);
  return message && !isWellKnown(message) ? writeMessage(message, json as JsonObject) : json;
}

function writeEnum(desc: DescEnum, number: number): JsonValue {
  const name = desc.value[number]?.name;
  return name === undefined ? number : (vocabularyOf(desc).words.get(name) ?? null);
}

interface Vocabulary {
  /** Words by full name, without the unspecified value: it has none. */
  words: Map<string, string>;
  /** Full names by what a caller may write. */
  names: Map<string, string>;
}

/** Kept, because finding the words costs more than all else in a message. */
const vocabularies = new WeakMap<DescEnum, Vocabulary>();

function vocabularyOf(desc: DescEnum): Vocabulary {
  const known = vocabularies.get(desc);
  if (known) return known;
  const spoken = desc.values.filter(({ number, name }) => number !== 0 || !name.endsWith("UNSPECIFIED"));
  const words = new Map(spoken.map((value) => [value.name, wordOf(value, desc)]));
  const names = new Map(Array.from(words, ([name, word]) => [word, name]));
  for (const { name } of desc.values) names.set(name, name);
  const vocabulary = { words, names };
  vocabularies.set(desc, vocabulary);
  return vocabulary;
}

/** Notes what is wrong with a field. Answers null, to stand in for the value that cannot be read. */
type Report = (field: string, description: string) => null;

/** Turns REST's JSON into protobuf's. */
function readMessage(desc: DescMessage, json: JsonValue, at: string, report: Report): JsonValue {
  if (!isObject(json)) return report(at, "must be an object");
  const read: JsonObject = {};
  const given = new Map<DescField | DescOneof, string[]>();
  for (const [key, value] of Object.entries(json)) {
    const path = at === "" ? key : `${at}.${key}`;
    const field = fieldNamed(desc, key);
    if (!field) report(path, "unknown field");
    if (!field || value === null) continue;
    const place = field.oneof ?? field;
    given.set(place, [...(given.get(place) ?? []), path]);
    read[field.name] = readField(field, value, path, report);
  }
  for (const paths of given.values()) {
    if (paths.length > 1)
      for (const path of paths) report(path, `only one of ${paths.join(", ")} may be given`);
  }
  return read;
}

function readField(field: DescField, json: JsonValue, at: string, report: Report): JsonValue {
  if (field.fieldKind === "list") {
    if (!Array.isArray(json)) return report(at, "must be a list");
    return json.map((item, index) => readValue(field, item, `${at}[${index}]`, report));
  }
  if (field.fieldKind !== "map") return readValue(field, json, at, report);
  if (!isObject(json)) return report(at, "must be an object");
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, readValue(field, value, `${at}["${key}"]`, report)]),
  );
}

function readValue(field: DescField, json: JsonValue, at: string, report: Report): JsonValue {
  if (field.enum) return readEnum(field.enum, json, at, report);
  if (field.message && isWellKnown(field.message)) return readWellKnown(field.message, json, at, report);
  if (field.message) return readMessage(field.message, json, at, report);
  const scalar = field.scalar && scalars[field.scalar];
  if (!scalar) return report(at, "cannot be given in JSON");
  return scalar.accepts(json) ? json : report(at, scalar.description);
}

function readEnum(desc: DescEnum, json: JsonValue, at: string, report: Report): JsonValue {
  const { names } = vocabularyOf(desc);
  const name = typeof json === "string" ? names.get(json) : undefined;
  return name ?? report(at, `must be one of ${enumWords(desc).join(", ")}`);
}

function readWellKnown(desc: DescMessage, json: JsonValue, at: string, report: Report): JsonValue {
  try {
    fromJson(desc, json);
  } catch {
    return report(at, wellKnown[desc.typeName] ?? "is not valid");
  }
  for (const path of protoKeys(json, at)) report(path, "unknown field");
  return json;
}

/** Paths of the keys that would change an object's prototype where a Struct is copied carelessly. */
function protoKeys(json: JsonValue, at: string): string[] {
  if (Array.isArray(json)) return json.flatMap((item, index) => protoKeys(item, `${at}[${index}]`));
  if (!isObject(json)) return [];
  return Object.entries(json).flatMap(([key, value]) =>
    key === "__proto__" ? [`${at}.${key}`] : protoKeys(value, `${at}.${key}`),
  );
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isWhole(json: JsonValue, lowest: number, highest: number): boolean {
  return typeof json === "number" && Number.isInteger(json) && json >= lowest && json <= highest;
}

/** The scalars of messages that REST shows. 64-bit integers are not among them: a JSON number cannot hold them. */
export const scalars: { [Type in ScalarType]?: { accepts(json: JsonValue): boolean; description: string } } =
  {
    [ScalarType.STRING]: {
      accepts: (json) => typeof json === "string" && json.isWellFormed(),
      description: "must be a string",
    },
    [ScalarType.BOOL]: {
      accepts: (json) => typeof json === "boolean",
      description: "must be true or false",
    },
    [ScalarType.UINT32]: {
      accepts: (json) => isWhole(json, 0, 2 ** 32 - 1),
      description: "must be a whole number from 0 to 4294967295",
    },
    [ScalarType.INT32]: {
      accepts: (json) => isWhole(json, -(2 ** 31), 2 ** 31 - 1),
      description: "must be a whole number from -2147483648 to 2147483647",
    },
    [ScalarType.DOUBLE]: {
      accepts: (json) => Number.isFinite(json),
      description: "must be a number",
    },
  };

const wellKnown: Record<string, string> = {
  "google.protobuf.Timestamp": 'must be an RFC 3339 time: "2026-01-31T12:00:00Z"',
  "google.protobuf.Duration": 'must be seconds: "90s"',
  "google.protobuf.Struct": "must be an object of fewer than 100 levels",
};
