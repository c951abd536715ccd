import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { enumWords } from "../src/rest/json.ts";
import { type ApiCommand, isRows } from "./commands.ts";
import { flagName } from "./flags.ts";

/** A line that shows how a command is used. */
export function exampleOf({ verb, positional, flags, method }: ApiCommand, noun: string): string {
  const words = ["certctl", noun, verb, ...positional.map(({ name }) => name.toUpperCase())];
  const isList = method.output.fields.some(isRows);
  const shown = isList ? flags.filter((field) => field.enum) : flags.filter(isName);
  if (isList || verb === "create" || verb === "update")
    for (const field of shown.slice(0, isList ? 1 : 2)) words.push(flagName(field), sample(field));
  return words.join(" ");
}

function isName({ name, fieldKind, scalar }: DescField): boolean {
  return fieldKind === "scalar" && scalar === ScalarType.STRING && /name$|_id$|^kind$/.test(name);
}

function sample(field: DescField): string {
  if (field.enum) return enumWords(field.enum)[0] ?? "";
  return field.name === "common_name" ? "shop.example.com" : field.name.endsWith("_id") ? "ID" : "shop";
}
