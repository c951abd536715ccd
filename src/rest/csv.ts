import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** A line of CSV (RFC 4180) of the columns' names. */
export function csvHead(columns: readonly string[]): string {
  return csvLine(columns);
}

/** A line of CSV of a message: texts as they are, null as nothing, what has parts as JSON. */
export function csvRow(columns: readonly string[], message: JsonObject): string {
  return csvLine(columns.map((column) => cellText(message[column])));
}

function cellText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(quoted).join(",")}\r\n`;
}

/** A cell that a spreadsheet would run as a formula gets an apostrophe in front, which makes it text. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
