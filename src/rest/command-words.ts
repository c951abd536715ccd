import { type DescField, type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "#gen/google/api/annotations_pb.ts";
import { parseTemplate, type Segment } from "./path-router.ts";

/** A call of the API in the words of a command line: `certctl <resource> <verb> <argument…> [--flag…]`. */
export interface CommandWords {
  /** "certificates": the first part of its path. */
  resource: string;
  /** "list", "get", "create", "update", "delete", or what the path's end says: "renew". */
  verb: string;
  /** Fields that the path names, in its order. */
  positional: DescField[];
  flags: DescField[];
}

const prefix = "/api/v1/";

/** The words of a call, from its path; undefined for one without a path of the API. */
export function commandWords(method: DescMethod): CommandWords | undefined {
  if (!hasOption(method, http)) return undefined;
  const { pattern } = getOption(method, http);
  if (pattern.case === undefined || pattern.case === "custom" || !pattern.value.startsWith(prefix))
    return undefined;
  const [first, ...rest] = parseTemplate(pattern.value).slice(2);
  if (first?.kind !== "literal") return undefined;
  const { fields } = method.input;
  const variables = rest.flatMap((segment) => (segment.kind === "variable" ? [segment.name] : []));
  return {
    resource: first.text,
    verb: verbOf(pattern.case, rest, method),
    positional: variables.flatMap((name) => fields.filter((field) => field.name === name)),
    flags: fields.filter(({ name }) => !variables.includes(name)),
  };
}

function verbOf(verb: string, rest: Segment[], { output, methodKind }: DescMethod): string {
  const words = rest.flatMap((segment) => (segment.kind === "literal" ? [segment.text] : []));
  if (words.length > 0) return verb === "delete" ? `remove-${words.join("-")}` : words.join("-");
  if (methodKind === "server_streaming") return "watch";
  if (verb === "get" && rest.length === 0) return output.fields.some(isRows) ? "list" : "get";
  return { get: "get", post: "create", put: "update", patch: "update" }[verb] ?? verb;
}

/** Whether the field holds the rows of a list. */
export function isRows({ name, fieldKind }: DescField): boolean {
  return name === "data" && fieldKind === "list";
}
