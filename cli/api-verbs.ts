import { type DescField, getOption, type JsonObject, type Message } from "@bufbuild/protobuf";
import { type Command, Option } from "commander";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { answers_file } from "#gen/certctl/v1/options_pb.ts";
import { comments } from "#gen/contract.ts";
import { decodeJson, encodeJson } from "../src/rest/json.ts";
import { type ApiCommand, kebab } from "./commands.ts";
import type { Connection } from "./connection.ts";
import { exampleOf } from "./example.ts";
import { CommandFailure, exitCodes } from "./failure.ts";
import { addFlag, flagName, flagValues } from "./flags.ts";
import { follow, type StreamFormat, streamFormats } from "./follow.ts";
import { isPaged, leftOut, readAll } from "./list-all.ts";
import { type Format, formats, render } from "./output.ts";
import type { Terminal } from "./terminal.ts";
import { watchJobs } from "./watch.ts";

const aliases: Record<string, string> = { certificates: "certs" };

/** Adds every call of the API below the noun of its resource. */
export function addApiVerbs(program: Command, commands: readonly ApiCommand[], terminal: Terminal): void {
  for (const command of commands) {
    const { resource } = command;
    const list = commands.find((other) => other.resource === resource && other.verb === "list");
    const group = resourceGroup(program, resource, aboutResource(list ?? command));
    addVerb(group, command, commands, terminal);
  }
}

/** The command of a resource, made at its first use. */
export function resourceGroup(program: Command, resource: string, about = resource): Command {
  const found = program.commands.find((command) => command.name() === resource);
  if (found) return found;
  const group = program.command(resource).description(about);
  const alias = aliases[resource];
  return alias === undefined ? group : group.alias(alias);
}

/** What the service says of itself; for a resource beside its own, what its list does, or its one call. */
function aboutResource({ resource, method, description }: ApiCommand): string {
  const { name, typeName } = method.parent;
  const own = kebab(name.replace(/Service$/, ""));
  const isOwn = [own, `${own}s`, own.replace(/y$/, "ies")].includes(resource);
  const text = isOwn ? comments[typeName]?.replace(`${name} `, "") : undefined;
  return text === undefined ? description : text.charAt(0).toUpperCase() + text.slice(1);
}

function addVerb(group: Command, api: ApiCommand, all: readonly ApiCommand[], terminal: Terminal): void {
  const verb = group.command(api.verb).description(api.description);
  for (const { name } of api.positional) verb.argument(`<${name.replaceAll("_", "-")}>`);
  for (const field of api.flags) addFlag(verb, field, api.shown?.message);
  const isStream = api.method.methodKind === "server_streaming";
  const output = new Option("-o, --output <format>", "how to print");
  const isSteps = api.method === JobService.method.watchJob;
  if (isSteps) verb.addOption(output.choices(["steps", ...streamFormats]).default("steps"));
  else if (isStream) verb.addOption(output.choices(streamFormats).default("json"));
  else verb.addOption(output.choices(formats).default("table"));
  if (isPaged(api)) verb.option("--all", "every page");
  if (startsJobs(api))
    verb.option("-w, --watch", "show the steps until the outcome is final; 0 when all went well");
  verb.addHelpText("after", () => `\nExample:\n  ${exampleOf(api, group.alias() ?? group.name())}`);
  verb.action(async (...given: unknown[]) => {
    const values = given.slice(0, api.positional.length) as string[];
    const { output: format } = verb.opts<{ output: Format }>();
    const flags = flagValues(verb, api.flags);
    using connection = await terminal.connect();
    const path = Object.fromEntries(api.positional.map(({ name }, index) => [name, values[index] ?? ""]));
    const before = api.verb === "update" ? await current(connection, api, all, path) : {};
    const message = requestOf(api, { ...before, ...flags, ...path });
    if (isSteps && verb.opts<{ output: string }>().output === "steps") {
      await watchJobs(connection, values, terminal);
      return;
    }
    if (isStream) {
      await follow(connection, api, message, terminal, verb.opts<{ output: StreamFormat }>().output);
      return;
    }
    const isAll = verb.opts<{ all?: true }>().all === true;
    const answer = isAll
      ? await readAll(connection, api, message)
      : await connection.unary(api.method, message);
    if (isPaged(api) && format === "table") terminal.err(leftOut(api, answer));
    if (verb.opts<{ watch?: true }>().watch) await watchJobs(connection, jobIdsOf(api, answer), terminal);
    else if (format === "table" && getOption(api.method, answers_file)) terminal.out(fileOf(api, answer));
    else terminal.out(describe(api, all, format, answer, values));
  });
}

/** A call that sets jobs going answers with one of these. */
function startsJobs({ method }: ApiCommand): boolean {
  const { fields } = method.output;
  return fields.some(({ name }) => name === "job_ids") || fields.some(isStartedJob);
}

function isStartedJob({ name }: DescField, _: number, fields: readonly DescField[]): boolean {
  return name === "job_id" && fields.some((field) => field.name === "status");
}

function jobIdsOf({ method }: ApiCommand, answer: Message): string[] {
  const { job_ids: ids, job_id: id } = encodeJson(method.output, answer);
  return (ids ?? [id]) as string[];
}

/** The content of an answer that is a file: to be sent into one, or into another program. */
function fileOf({ method }: ApiCommand, answer: Message): Uint8Array {
  return Buffer.from(String(encodeJson(method.output, answer)["content_base64"]), "base64");
}

/** The request that the values make. Throws what is wrong with them, by their flags. */
export function requestOf({ method, flags }: ApiCommand, json: JsonObject): Message {
  const decoded = decodeJson(method.input, json);
  if (decoded.kind === "message") return decoded.message;
  const lines = decoded.violations.map(({ field, description }) => {
    const isFlag = flags.some(({ name }) => name === field);
    return `${isFlag ? flagName({ name: field }) : field}: ${description}`;
  });
  throw new CommandFailure(lines.join("\n"), exitCodes.usage);
}

/** What an update leaves as it is: it replaces the whole resource, and only what is named is to change. */
async function current(
  connection: Connection,
  update: ApiCommand,
  all: readonly ApiCommand[],
  path: JsonObject,
): Promise<JsonObject> {
  const get = all.find(({ resource, verb }) => resource === update.resource && verb === "get");
  if (!get?.shown) return {};
  const answer = await connection.unary(get.method, requestOf(get, path));
  const found = encodeJson(get.method.output, answer)[get.shown.name] as JsonObject;
  return writable(update, found);
}

/** Of a resource as it is read, what a write takes. */
export function writable({ method }: ApiCommand, resource: JsonObject): JsonObject {
  return Object.fromEntries(
    method.input.fields.flatMap(({ name }) => (resource[name] === undefined ? [] : [[name, resource[name]]])),
  );
}

function describe(
  { method, shown, verb, resource }: ApiCommand,
  all: readonly ApiCommand[],
  format: Format,
  answer: Message,
  values: string[],
): string {
  if (method.output.fields.length > 0) return render(format, method, shown?.name, answer);
  if (format !== "table") return "";
  if (verb !== "delete") return `${values.join(" ")} ${verb}\n`;
  const isKept = all.some((other) => other.resource === resource && other.verb === "restore");
  return `${values.join(" ")} is ${isKept ? "gone from the lists; restore brings it back" : "deleted"}\n`;
}
