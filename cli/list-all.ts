import { create, type DescMessage, type JsonObject, type Message } from "@bufbuild/protobuf";
import { isRows } from "../src/rest/command-words.ts";
import { encodeJson } from "../src/rest/json.ts";
import type { ApiCommand } from "./commands.ts";
import type { Connection } from "./connection.ts";

/** Whether a call answers page by page. */
export function isPaged({ method }: ApiCommand): boolean {
  return method.output.fields.some(isRows) && fieldOf(method.input, "per_page") !== undefined;
}

/** Every page of a list as one answer, by cursors where the list has them. */
export async function readAll(
  connection: Connection,
  { method }: ApiCommand,
  first: Message,
): Promise<Message> {
  const rows = method.output.fields.find(isRows);
  const request = { ...first } as Message & Record<string, unknown>;
  request["perPage"] ||= 500;
  request["page"] = 0;
  const all: unknown[] = [];
  for (let page = 1; ; page += 1) {
    const message = create(method.input, request as never);
    const answer = (await connection.unary(method, message)) as Message & Record<string, unknown>;
    const found = answer[rows?.localName ?? "data"] as unknown[];
    all.push(...found);
    const cursor = answer["nextCursor"];
    const isLast = typeof cursor === "string" ? cursor === "" : all.length >= Number(answer["total"]);
    if (isLast || found.length === 0)
      return { ...answer, data: all, page: 1, perPage: all.length, nextCursor: "" } as Message;
    if (typeof cursor === "string") request["cursor"] = cursor;
    else request["page"] = page + 1;
  }
}

/** What is left out of a page, for people. */
export function leftOut({ method }: ApiCommand, answer: Message): string {
  const { data, total } = encodeJson(method.output, answer) as { data: JsonObject[]; total: number };
  return total > data.length ? `${data.length} of ${total}; --all lists all, --page N the others\n` : "";
}

function fieldOf({ fields }: DescMessage, name: string) {
  return fields.find((field) => field.name === name);
}
