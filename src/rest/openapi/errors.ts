import { STATUS_CODES } from "node:http";
import type { JsonObject } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeName } from "../answer.ts";

/** The body of every refusal: see answer.ts. */
export const errorSchema: JsonObject = {
  type: "object",
  description: "Why a call was refused.",
  properties: {
    error: { type: "string", description: "The status in words." },
    code: {
      type: "string",
      description: "The code by which RPC clients know the refusal.",
      enum: Object.values(Code)
        .filter((code) => typeof code === "number")
        .map(codeName),
    },
    reason: { type: "string", description: "For programs, where the code does not say it all: LEASE_LOST." },
    message: { type: "string", description: "For people: what is wrong and what to do." },
    request_id: { type: "string", description: "By which the server's log knows the call." },
    details: {
      type: "array",
      items: {
        type: "object",
        properties: {
          field: { type: "string", description: "Path as the caller wrote it: sans[1]." },
          description: { type: "string" },
        },
        required: ["field", "description"],
      },
    },
  },
  required: ["error", "code", "reason", "message", "request_id", "details"],
};

const descriptions: Record<number, string> = {
  400: "The request is wrong; every offending field is named.",
  401: "There is no credential, or none that is known.",
  403: "The credential does not allow this.",
  404: "What the path or the request names does not exist.",
  409: "The request is right, but not in the state that things are in now.",
  413: "The body is too large.",
  415: "The body is not JSON.",
  429: "Too many calls in too short a time.",
};

const headers: Record<number, JsonObject> = {
  401: { "WWW-Authenticate": { schema: { type: "string" } } },
  429: { "Retry-After": { description: "Seconds to wait.", schema: { type: "string" } } },
};

const nameOf = (status: number) => (STATUS_CODES[status] ?? "").replaceAll(/[^A-Za-z]/g, "");

/** The refusals that operations refer to. */
export const errorResponses: JsonObject = Object.fromEntries(
  Object.entries(descriptions).map(([status, description]) => [
    nameOf(Number(status)),
    {
      description,
      ...(headers[Number(status)] ? { headers: headers[Number(status)] } : {}),
      content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
    },
  ]),
);

/** References to the refusals of these statuses. */
export function refusals(statuses: readonly number[]): JsonObject {
  return Object.fromEntries(
    statuses.map((status) => [String(status), { $ref: `#/components/responses/${nameOf(status)}` }]),
  );
}
