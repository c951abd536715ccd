import type { DescField, DescMessage, DescMethod, JsonObject, JsonValue, Message } from "@bufbuild/protobuf";
import { stringify } from "yaml";
import { isRows } from "../src/rest/command-words.ts";
import { encodeJson } from "../src/rest/json.ts";
import { columnsOf } from "./columns.ts";

export const formats = ["table", "json", "yaml"] as const;
export type Format = (typeof formats)[number];

/** Prints an answer; for people as a table, for programs exactly as REST has it. */
export function render(
  format: Format,
  method: Pick<DescMethod, "output">,
  shown: string | undefined,
  message: Message,
): string {
  const whole = encodeJson(method.output, message);
  const json = shown === undefined ? whole : (whole[shown] ?? null);
  if (format === "json") return `${JSON.stringify(json, null, 2)}\n`;
  if (format === "yaml") return stringify(json);
  const rows = method.output.fields.find(isRows);
  if (rows?.message && shown === undefined) return listTable(rows.message, whole["data"] as JsonObject[]);
  return fieldTable(json, shown === undefined ? method.output : fieldOf(method.output, shown)?.message);
}

/** One row for each resource. */
export function listTable(desc: DescMessage, rows: readonly JsonObject[]): string {
  const columns = columnsOf(desc).map(({ name }) => name);
  if (rows.length === 0) return "none\n";
  return align([
    columns.map((name) => name.replaceAll("_", " ").toUpperCase()),
    ...rows.map((row) => columns.map((name) => cell(row[name]))),
  ]);
}

/** One row for each field of one resource; what is itself a list of rows follows as a table of its own. */
function fieldTable(json: JsonValue, desc: DescMessage | undefined): string {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return `${cell(json)}\n`;
  const lists = Object.entries(json).flatMap(([name, value]) => {
    const rows = desc && fieldOf(desc, name);
    const isTable = rows?.fieldKind === "list" && rows.message && Array.isArray(value) && value.length > 0;
    return isTable ? [{ name, table: listTable(rows.message, value as JsonObject[]) }] : [];
  });
  const others = Object.entries(json).filter(([name]) => !lists.some((list) => list.name === name));
  const tables = lists.map(({ name, table }) => `\n${name}\n${table.replaceAll(/^/gm, "  ").trimEnd()}\n`);
  return align(others.map(([name, value]) => [name, cell(value)])) + tables.join("");
}

function fieldOf(desc: DescMessage, name: string): DescField | undefined {
  return desc.fields.find((field) => field.name === name);
}

/** Columns two spaces apart; nothing behind the last one. */
function align(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, index) =>
    Math.max(...rows.map((row) => [...(row[index] ?? "")].length)),
  );
  return rows
    .map(
      (row) =>
        `${row
          .map((text, index) => pad(text, widths[index] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - [...text].length));
}

function cell(value: JsonValue | undefined): string {
  if (value === undefined || value === null || value === "") return "-";
  if (typeof value === "string") return printable(value.replace(/(T\d\d:\d\d:\d\d)\.\d+Z$/, "$1Z"));
  if (Array.isArray(value))
    return printable(value.every(isPlain) ? value.join(", ") : JSON.stringify(value)) || "-";
  return printable(typeof value === "object" ? parts(value) : String(value)) || "-";
}

function isPlain(value: JsonValue): boolean {
  return typeof value !== "object";
}

/** What a structure says: `step: reload, failure_class: Target`. */
function parts(value: JsonObject): string {
  return Object.entries(value)
    .filter(([, part]) => part !== null && part !== "" && !(Array.isArray(part) && part.length === 0))
    .map(([name, part]) => `${name}: ${typeof part === "object" ? JSON.stringify(part) : String(part)}`)
    .join(", ");
}

/** What others wrote must not steer the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
