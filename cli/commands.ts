import { type DescField, type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { access } from "#gen/certctl/v1/options_pb.ts";
import { comments, services } from "#gen/contract.ts";
import { http } from "#gen/google/api/annotations_pb.ts";
import { parseTemplate, type Segment } from "../src/rest/path-router.ts";

/** A call of the API as a command: `certctl <resource> <verb> <argument…> [--flag…]`. */
export interface ApiCommand {
  /** "certificates": the first part of its path. */
  resource: string;
  /** "list", "get", "create", "update", "delete", or what the path's end says: "renew". */
  verb: string;
  method: DescMethod;
  /** Fields that the path names, in its order. */
  positional: DescField[];
  flags: DescField[];
  /** The field of the answer that is shown; all of it where undefined. */
  shown: DescField | undefined;
  description: string;
}

const prefix = "/api/v1/";

/** Every call that an operator may make. What agents say to the control plane is no command. */
export function apiCommands(all: readonly DescService[] = services): ApiCommand[] {
  const commands: ApiCommand[] = [];
  for (const method of all.filter((service) => !isForAgents(service)).flatMap(({ methods }) => methods)) {
    const command = commandOf(method);
    if (!command) continue;
    const { resource } = command;
    const isTaken = commands.some((other) => other.resource === resource && other.verb === command.verb);
    commands.push(isTaken ? { ...command, verb: kebab(method.name) } : command);
  }
  return commands;
}

function isForAgents({ methods }: DescService): boolean {
  return methods.some((method) => getOption(method, access).who.case === "agent");
}

function commandOf(method: DescMethod): ApiCommand | undefined {
  if (!hasOption(method, http)) return undefined;
  const { pattern, responseBody } = getOption(method, http);
  if (pattern.case === undefined || pattern.case === "custom" || !pattern.value.startsWith(prefix))
    return undefined;
  const [first, ...rest] = parseTemplate(pattern.value).slice(2);
  if (first?.kind !== "literal") return undefined;
  const { fields } = method.input;
  const variables = rest.flatMap((segment) => (segment.kind === "variable" ? [segment.name] : []));
  return {
    resource: first.text,
    verb: verbOf(pattern.case, rest, method),
    method,
    positional: variables.flatMap((name) => fields.filter((field) => field.name === name)),
    flags: fields.filter(({ name }) => !variables.includes(name)),
    shown: method.output.fields.find(({ name }) => name === responseBody),
    description: comments[`${method.parent.typeName}.${method.name}`] ?? method.name,
  };
}

function verbOf(verb: string, rest: Segment[], { output }: DescMethod): string {
  const words = rest.flatMap((segment) => (segment.kind === "literal" ? [segment.text] : []));
  if (words.length > 0) return verb === "delete" ? `remove-${words.join("-")}` : words.join("-");
  if (verb === "get" && rest.length === 0) return output.fields.some(isRows) ? "list" : "get";
  return { get: "get", post: "create", put: "update", patch: "update" }[verb] ?? verb;
}

/** Whether the field holds the rows of a list. */
export function isRows({ name, fieldKind }: DescField): boolean {
  return name === "data" && fieldKind === "list";
}

/** "RenewalPolicy" as it is in paths: "renewal-policy". */
export function kebab(name: string): string {
  return name.replaceAll(/(?<!^)[A-Z]/g, "-$&").toLowerCase();
}
