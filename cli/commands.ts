import { type DescField, type DescMethod, type DescService, getOption } from "@bufbuild/protobuf";
import { access } from "#gen/certctl/v1/options_pb.ts";
import { comments, services } from "#gen/contract.ts";
import { http } from "#gen/google/api/annotations_pb.ts";
import { type CommandWords, commandWords } from "../src/rest/command-words.ts";

/** A call of the API as a command. */
export interface ApiCommand extends CommandWords {
  method: DescMethod;
  /** The field of the answer that is shown; all of it where undefined. */
  shown: DescField | undefined;
  description: string;
}

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
  const words = commandWords(method);
  if (!words) return undefined;
  const { responseBody } = getOption(method, http);
  return {
    ...words,
    method,
    shown: method.output.fields.find(({ name }) => name === responseBody),
    description: comments[`${method.parent.typeName}.${method.name}`] ?? method.name,
  };
}

/** "RenewalPolicy" as it is in paths: "renewal-policy". */
export function kebab(name: string): string {
  return name.replaceAll(/(?<!^)[A-Z]/g, "-$&").toLowerCase();
}
