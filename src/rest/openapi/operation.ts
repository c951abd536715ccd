import type { DescField, DescMethod, JsonObject } from "@bufbuild/protobuf";
import { accessOf } from "../../auth/access.ts";
import type { RestRule } from "../binding.ts";
import { isQueryField } from "../request-message.ts";
import { constraintsOf } from "./constraints.ts";
import { refusals } from "./errors.ts";
import type { Schemas } from "./schemas.ts";

/** What OpenAPI says of one verb and path. */
export function operationOf(
  method: DescMethod,
  rule: RestRule,
  { schemas, comment, id }: { schemas: Schemas; comment: string; id: string },
): JsonObject {
  const variables = variablesOf(rule.path);
  const inPath = method.input.fields.filter(({ name }) => variables.includes(name));
  const inQuery = method.input.fields.filter((field) => isQueryField(field, rule, variables));
  const body = requestBody(method, rule, variables, schemas);
  const [summary = "", ...rest] = comment.split(/(?<=\.)\s+(?=[A-Z])/);
  return {
    operationId: id,
    tags: [method.parent.name.replace(/Service$/, "")],
    summary,
    ...(rest.length > 0 ? { description: comment } : {}),
    ...accessFields(method),
    ...(inPath.length + inQuery.length > 0
      ? {
          parameters: [
            ...inPath.map((field) => parameter(field, "path", schemas)),
            ...inQuery.map((field) => parameter(field, "query", schemas)),
          ],
        }
      : {}),
    ...(body ? { requestBody: body } : {}),
    responses: {
      [String(rule.status)]: success(method, rule, schemas),
      ...refusals(refusalsOf(method, rule)),
    },
  };
}

function variablesOf(path: string): string[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = ""]) => name);
}

/** Who may call: the permission, in a field of its own, and the credentials that can have it. */
function accessFields(method: DescMethod): JsonObject {
  const access = accessOf(method);
  if (access.who === "public") return { security: [] };
  if (access.who === "agent")
    return { "x-permission": "agent", security: [{ apiKey: [] }, { clientCertificate: [] }] };
  return { "x-permission": access.permission, security: [{ apiKey: [] }] };
}

function parameter(field: DescField, place: "path" | "query", schemas: Schemas): JsonObject {
  const { description, ...schema } = schemas.parameter(field);
  return {
    name: field.name,
    in: place,
    ...(description === undefined ? {} : { description }),
    ...(place === "path" || constraintsOf(field).isRequired ? { required: true } : {}),
    schema,
  };
}

function requestBody(
  { input }: DescMethod,
  { body }: RestRule,
  variables: readonly string[],
  schemas: Schemas,
): JsonObject | undefined {
  if (body === undefined) return undefined;
  const fields = input.fields.filter(({ name }) => !variables.includes(name));
  const schema = body === "*" ? schemas.object(input, fields, "request") : schemas.field(body, "request");
  const isRequired = body !== "*" || fields.some((field) => constraintsOf(field).isRequired);
  return { required: isRequired, content: { "application/json": { schema } } };
}

function success(
  method: DescMethod,
  { status, responseBody, isFile }: RestRule,
  schemas: Schemas,
): JsonObject {
  if (status === 204) return { description: "Done." };
  if (isFile)
    return {
      description: "The file.",
      content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
    };
  const schema = responseBody ? schemas.shown(responseBody) : schemas.message(method.output, "answer");
  if (method.methodKind === "server_streaming")
    return {
      description: "Messages as they come: one JSON text a line, as server-sent events, or as a table.",
      content: {
        "application/x-ndjson": { schema },
        "text/event-stream": { schema },
        "text/csv": { schema: { type: "string" } },
      },
    };
  const location = { Location: { description: "Where the resource is.", schema: { type: "string" } } };
  return {
    description: status === 202 ? "Accepted; the work goes on." : "Done.",
    ...(status === 201 ? { headers: location } : {}),
    content: { "application/json": { schema } },
  };
}

function refusalsOf(method: DescMethod, { verb, path, body }: RestRule): number[] {
  const isOpen = accessOf(method).who === "public";
  const isRead = verb === "GET";
  return [
    400,
    // What is open may still ask for a secret in the request: a join token.
    ...(isOpen ? (isRead ? [] : [401]) : [401, 403]),
    ...(path.includes("{") || !isRead ? [404] : []),
    ...(isRead ? [] : [409]),
    ...(body === undefined ? [] : [413, 415]),
    429,
  ];
}
