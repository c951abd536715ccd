import { readFileSync } from "node:fs";
import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { type Command, InvalidArgumentError, Option } from "commander";
import { parse as parseYaml } from "yaml";
import { comments } from "#gen/contract.ts";
import { enumWords, isWellKnown, scalars } from "../src/rest/json.ts";

const structType = "google.protobuf.Struct";

/**
 * Adds the options by which a field is given: `--common-name <text>`, again and again where the field is a list.
 * @param resource what the call answers: it describes a field where the request says nothing of it
 */
export function addFlag(command: Command, field: DescField, resource?: DescMessage): void {
  const description = describe(field, resource);
  if (isSwitch(field)) {
    command.addOption(new Option(flagName(field), description));
    command.addOption(new Option(flagName(field).replace("--", "--no-"), "the opposite"));
    return;
  }
  const option = new Option(`${flagName(field)} <${placeholder(field)}>`, description);
  if (field.enum) option.choices(enumWords(field.enum));
  command.addOption(option.argParser(parserOf(field)));
}

/** What the options that were given say, as REST would have it. */
export function flagValues(command: Command, fields: readonly DescField[]): JsonObject {
  const given = command.opts<Record<string, JsonValue>>();
  return Object.fromEntries(
    fields.flatMap((field): [string, JsonValue][] => {
      const value = given[new Option(flagName(field)).attributeName()];
      return value === undefined ? [] : [[field.name, value]];
    }),
  );
}

export function flagName({ name }: { name: string }): string {
  return `--${name.replaceAll("_", "-")}`;
}

function isSwitch({ fieldKind, scalar }: DescField): boolean {
  return fieldKind === "scalar" && scalar === ScalarType.BOOL;
}

function parserOf(field: DescField): (text: string, before: JsonValue | undefined) => JsonValue {
  if (field.fieldKind === "list")
    return (text, before) => [...((before ?? []) as JsonValue[]), parseValue(field, text)];
  if (field.fieldKind !== "map") return (text) => parseValue(field, text);
  return (text, before) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined || value === undefined) throw new InvalidArgumentError("Write key=value.");
    return { ...((before ?? {}) as JsonObject), [key]: parseValue(field, value) };
  };
}

/** What is long, or nobody else's business, may be written `@file`: it stands in no list of processes then. */
function secretOrFile(name: string, text: string): string {
  if (name.endsWith("pem")) return contents(text);
  // An editor ends the file with a newline; the secret has none.
  return /(secret|password|passphrase|api_key)$/.test(name) ? contents(text).replace(/\r?\n$/, "") : text;
}

function parseValue(field: DescField, text: string): JsonValue {
  if (field.enum) return wordOf(enumWords(field.enum), text);
  if (isDocument(field)) return documentOf(text);
  if (field.scalar === undefined) return text;
  if (field.scalar === ScalarType.STRING) return secretOrFile(field.name, text);
  const value = /^-?\d+(\.\d+)?$/.test(text)
    ? Number(text)
    : text === "true" || text === "false"
      ? text === "true"
      : text;
  const scalar = scalars[field.scalar];
  if (!scalar?.accepts(value))
    throw new InvalidArgumentError(`It ${scalar?.description ?? "cannot be given"}.`);
  return value;
}

function wordOf(words: string[], text: string): string {
  const word = words.find((each) => each.toLowerCase() === text.toLowerCase());
  if (word === undefined) throw new InvalidArgumentError(`Allowed choices are ${words.join(", ")}.`);
  return word;
}

/** Whether the field is a structure: a Struct or a message without a text of its own. */
function isDocument({ message }: DescField): boolean {
  return message !== undefined && (!isWellKnown(message) || message.typeName === structType);
}

function documentOf(text: string): JsonValue {
  try {
    return parseYaml(contents(text)) as JsonValue;
  } catch (error) {
    throw new InvalidArgumentError(`It must be JSON, or @file: ${(error as Error).message}`);
  }
}

/** The text itself, or what is in the file that `@path` names; `@-` is standard input. */
function contents(text: string): string {
  if (!text.startsWith("@")) return text;
  try {
    return readFileSync(text === "@-" ? 0 : text.slice(1), "utf8");
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function placeholder(field: DescField): string {
  if (field.fieldKind === "map") return "key=value";
  if (field.enum) return "word";
  if (isDocument(field)) return "json|@file";
  if (field.message?.typeName === "google.protobuf.Timestamp") return "time";
  if (field.message?.typeName === "google.protobuf.Duration") return "seconds";
  return field.scalar === ScalarType.STRING ? "text" : "number";
}

function describe(field: DescField, resource: DescMessage | undefined): string {
  const own = comments[`${field.parent.typeName}.${field.name}`];
  const same = resource?.fields.some(({ name }) => name === field.name);
  const text =
    own ??
    (same ? comments[`${resource?.typeName}.${field.name}`] : undefined) ??
    field.name.replaceAll("_", " ");
  const parts = field.message && isDocument(field) ? partsOf(field.message) : "";
  const isRepeated = field.fieldKind === "list" || field.fieldKind === "map";
  return `${text}${parts}${isRepeated ? " (repeatable)" : ""}`;
}

/** What a structure may hold. */
function partsOf({ fields, typeName }: DescMessage): string {
  return typeName === structType ? "" : `: ${fields.map(({ name }) => name).join(", ")}`;
}
