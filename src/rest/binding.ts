import {
  type DescField,
  type DescMessage,
  type DescMethod,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import type { Interceptor, MethodImplSpec } from "@connectrpc/connect";
import { answers_file, success_status } from "#gen/certctl/v1/options_pb.ts";
import { http } from "#gen/google/api/annotations_pb.ts";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import { fieldNamed } from "./json.ts";
import { parseTemplate } from "./path-router.ts";

/** An implementation that REST can reach. */
export type RestSpec = Extract<MethodImplSpec, { kind: "unary" | "server_streaming" }>;

/** One verb and path of a method. */
export interface RestRule {
  readonly verb: string;
  /** Template of google.api.http: `/api/v1/certificates/{id}`. */
  readonly path: string;
  /** What the body holds: every field that is not in the path, one field, or nothing. */
  readonly body: "*" | DescField | undefined;
  /** The one field of the answer that is sent; all of it where undefined. */
  readonly responseBody: DescField | undefined;
  readonly status: number;
  /** The answer is sent as the file that it holds. */
  readonly isFile: boolean;
}

/** A rule with what answers. */
export interface Binding extends RestRule {
  readonly spec: RestSpec;
  readonly interceptors: readonly Interceptor[];
}

/** Binds an implementation by its method's rules. Throws for one that REST cannot carry. */
export function bindingsOf(spec: MethodImplSpec, interceptors: readonly Interceptor[]): Binding[] {
  const rules = rulesOf(spec.method);
  if (rules.length === 0) return [];
  if (spec.kind !== "unary" && spec.kind !== "server_streaming")
    throw new Error(`${nameOf(spec.method)}: REST cannot carry a stream of requests`);
  return rules.map((rule) => ({ ...rule, spec, interceptors }));
}

/** Reads a method's google.api.http rules; none if it has no such option. Throws for a rule that cannot be served. */
export function rulesOf(method: DescMethod): RestRule[] {
  if (!hasOption(method, http)) return [];
  const rule = getOption(method, http);
  try {
    return [rule, ...rule.additionalBindings].map((each) => read(method, each));
  } catch (cause) {
    throw new Error(`${nameOf(method)}: ${(cause as Error).message}`, { cause });
  }
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}

function read(method: DescMethod, rule: HttpRule): RestRule {
  const { pattern } = rule;
  const { input, output } = method;
  if (pattern.case === undefined || pattern.case === "custom")
    throw new Error("the http rule must name get, put, post, delete or patch");
  const verb = pattern.case.toUpperCase();
  for (const segment of parseTemplate(pattern.value)) {
    if (segment.kind === "variable") requireVariable(fieldOf(input, segment.name), rule.body);
  }
  return {
    verb,
    path: pattern.value,
    body: rule.body === "*" ? "*" : rule.body === "" ? undefined : fieldOf(input, rule.body),
    responseBody: rule.responseBody === "" ? undefined : fieldOf(output, rule.responseBody),
    status: successStatus(verb, pattern.value, method),
    isFile: getOption(method, answers_file),
  };
}

function fieldOf(desc: DescMessage, name: string): DescField {
  const field = fieldNamed(desc, name);
  if (field?.name !== name) throw new Error(`${desc.typeName} has no field ${name}`);
  return field;
}

function requireVariable({ name, fieldKind, scalar }: DescField, body: string): void {
  if (fieldKind !== "scalar" || scalar !== ScalarType.STRING || name === body)
    throw new Error(`{${name}} must be a string field outside the body`);
}

function successStatus(verb: string, path: string, method: DescMethod): number {
  const status = getOption(method, success_status);
  if (status !== 0 && (status < 200 || status > 299)) throw new Error(`${status} is no status of success`);
  if (status !== 0) return status;
  if (verb === "DELETE") return 204;
  if (verb !== "POST") return 200;
  return path.includes("{") ? 202 : 201;
}
