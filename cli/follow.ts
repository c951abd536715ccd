import type { JsonObject, Message } from "@bufbuild/protobuf";
import { csvHead, csvRow } from "../src/rest/csv.ts";
import { encodeJson } from "../src/rest/json.ts";
import type { ApiCommand } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Terminal } from "./terminal.ts";

export const streamFormats = ["json", "csv"] as const;
export type StreamFormat = (typeof streamFormats)[number];

/** Prints each message of a stream as it comes: as a line of JSON, or as a row of a table. */
export async function follow(
  connection: Connection,
  { method, shown }: ApiCommand,
  message: Message,
  terminal: Terminal,
  format: StreamFormat,
): Promise<void> {
  const columns = (shown?.message ?? method.output).fields.map(({ name }) => name);
  if (format === "csv") terminal.out(csvHead(columns));
  for await (const part of connection.stream(method, message, terminal.signal)) {
    const whole = encodeJson(method.output, part);
    const json = shown ? whole[shown.name] : whole;
    terminal.out(format === "csv" ? csvRow(columns, json as JsonObject) : `${JSON.stringify(json)}\n`);
    await terminal.drained();
  }
}
