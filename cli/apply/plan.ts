import type { JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { encodeJson } from "../../src/rest/json.ts";
import { requestOf } from "../api-verbs.ts";
import type { Connection } from "../connection.ts";
import { CommandFailure, exitCodes } from "../failure.ts";
import { printable } from "../output.ts";
import { type Change, changesOf } from "./changes.ts";
import type { Item } from "./documents.ts";
import { type Appliable, wantedOf } from "./resources.ts";

export type Step = { item: Item; wanted: JsonObject } & (
  | { kind: "create" }
  | { kind: "update"; current: JsonObject; changes: Change[] }
  | { kind: "unchanged" }
);

/** Compares an item with the server. Throws for what cannot be: an archived resource, a field that is fixed. */
export async function planStep(
  connection: Connection,
  appliable: Appliable,
  item: Item,
  options: { isSecretCompared: boolean },
): Promise<Step> {
  const current = await read(connection, appliable, item.id);
  const wanted = wantedOf(appliable, item, current === undefined);
  if (current === undefined) return { kind: "create", item, wanted };
  if (current["archived_at"])
    throw conflict(
      `${item.place}: ${item.id} is archived; certctl ${item.resource} restore ${item.id} brings it back`,
    );
  const changes = changesOf(item.resource, current, wanted, options);
  if (changes.length === 0) return { kind: "unchanged", item, wanted };
  const fixed = changes.filter(({ field }) => !appliable.update.flags.some(({ name }) => name === field));
  if (fixed.length > 0)
    throw conflict(
      `${item.place}: ${fixed.map(({ field }) => field).join(", ")} of ${item.id} cannot be changed`,
    );
  return { kind: "update", item, wanted, current, changes };
}

async function read(connection: Connection, { get }: Appliable, id: string): Promise<JsonObject | undefined> {
  try {
    const answer = await connection.unary(get.method, requestOf(get, { id }));
    return encodeJson(get.method.output, answer)[get.shown?.name ?? ""] as JsonObject;
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return undefined;
    throw error;
  }
}

/** The plan as a person reads it before saying yes. */
export function describePlan(steps: readonly Step[]): string {
  const count = (kind: Step["kind"]) => steps.filter((step) => step.kind === kind).length;
  const lines = steps.flatMap(describeStep);
  const sum = `${count("create")} to create, ${count("update")} to change, ${count("unchanged")} unchanged`;
  return `${[...lines, sum].join("\n")}\n`;
}

function describeStep(step: Step): string[] {
  const { resource, id } = step.item;
  if (step.kind === "unchanged") return [`= unchanged ${resource} ${id}`];
  if (step.kind === "create") return [`+ create ${resource} ${id}`];
  return [
    `~ change ${resource} ${id}`,
    ...step.changes.map(({ field, before, after }) =>
      printable(`    ${field}: ${text(before)} -> ${text(after)}`),
    ),
  ];
}

function text(value: Change["before"]): string {
  return typeof value === "string" ? value || '""' : JSON.stringify(value);
}

function conflict(message: string): CommandFailure {
  return new CommandFailure(message, exitCodes.conflict);
}
