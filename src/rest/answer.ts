import { STATUS_CODES } from "node:http";
import { constants } from "node:http2";
import type { DescField, JsonValue } from "@bufbuild/protobuf";
import { type FieldPath, ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/certctl/v1/errors_pb.ts";
import type { Violation } from "./json.ts";
import { type Exchange, finish, isSending, setHeaders } from "./node.ts";

export interface Answer {
  status: number;
  headers: Headers;
  /** Undefined: none. */
  body: JsonValue | undefined;
}

/**
 * A refusal whose HTTP status is not the one that its code stands for. No subclass of ConnectError: its `instanceof` takes
 * any ConnectError for an instance of a subclass.
 */
export class StatusError extends Error {
  readonly status: number;
  readonly code: Code;
  readonly headers: Record<string, string>;

  constructor(status: number, code: Code, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

const statuses: Record<Code, number> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 409,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

/** Headers that an error's metadata may set. The metadata of a failed call to elsewhere holds that answer's own. */
const passedHeaders = ["allow", "retry-after", "www-authenticate"];

/** What a caller is told of an error; of anything but a ConnectError, nothing. */
export function errorAnswer(error: unknown, requestId: string, body?: "*" | DescField): Answer {
  const known = connectError(error);
  const status = error instanceof StatusError ? error.status : statuses[known.code];
  const { reason, message, violations } = explain(known);
  const headers = new Headers({ "cache-control": "no-store" });
  if (known.code === Code.Unauthenticated) headers.set("www-authenticate", "Bearer");
  for (const name of passedHeaders) {
    const value = known.metadata.get(name);
    if (value !== null) headers.set(name, value);
  }
  const json = {
    error: status === 499 ? "Client Closed Request" : (STATUS_CODES[status] ?? ""),
    code: codeName(known.code),
    reason,
    message,
    request_id: requestId,
    details: violations.map(({ field, description }) => ({
      field: withoutWrapper(field, body),
      description,
    })),
  };
  return { status, headers, body: json };
}

function connectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof StatusError) return new ConnectError(error.message, error.code, error.headers);
  return new ConnectError("internal error", Code.Internal);
}

/** `InvalidArgument` as it is on the wire: `invalid_argument`. */
export function codeName(code: Code): string {
  return Code[code].replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase();
}

function explain(error: ConnectError): { reason: string; message: string; violations: Violation[] } {
  const infos = error.findDetails(ErrorInfoSchema);
  const rules = error
    .findDetails(ViolationsSchema)
    .flatMap(({ violations }) => violations)
    .map(({ field, message }) => ({ field: pathText(field), description: message }));
  const text = rules.map(({ field, description }) => `${field}: ${description}`).join("; ");
  return {
    reason: infos.find(({ reason }) => reason !== "")?.reason ?? "",
    message: text || error.rawMessage,
    violations: [...infos.flatMap(({ violations }) => violations), ...rules],
  };
}

/** Protovalidate's path as the caller wrote it: `sans[1]`, `labels["a"]`. */
function pathText(path: FieldPath | undefined): string {
  const parts = (path?.elements ?? []).map(({ fieldName, subscript }) => {
    if (subscript.case === undefined) return fieldName;
    const text = subscript.case === "stringKey" ? JSON.stringify(subscript.value) : subscript.value;
    return `${fieldName}[${text}]`;
  });
  return parts.join(".");
}

/** Where the body is one field of the request, the caller never saw that field's name. */
function withoutWrapper(field: string, body: "*" | DescField | undefined): string {
  if (body === undefined || body === "*") return field;
  return field.startsWith(`${body.name}.`) ? field.slice(body.name.length + 1) : field;
}

/** Sends an answer. A client that is still sending its body gets it, too. */
export function send({ request, response }: Exchange, { status, headers, body }: Answer): void {
  // The line break is for terminals.
  const text = body === undefined ? "" : `${JSON.stringify(body)}\n`;
  response.statusCode = status;
  setHeaders(response, headers);
  if (body !== undefined) {
    response.appendHeader("content-type", "application/json; charset=utf-8");
    response.appendHeader("content-length", String(Buffer.byteLength(text)));
  }
  const shown = request.method === "HEAD" ? "" : text;
  if (!isSending(request)) finish(response, shown);
  else finishEarly({ request, response }, shown);
}

/** How long a client that has its answer may go on sending. */
const lingerMs = 2_000;

/**
 * Answers before the request has ended. Over HTTP/2 the stream is reset once the answer is out (RFC 9113 section 8.1).
 * Over HTTP/1.1 closing at once would reset the connection and could lose the answer (RFC 9112 section 9.6): what still
 * comes is discarded for a while.
 */
function finishEarly({ request, response }: Exchange, text: string): void {
  if ("stream" in request) {
    finish(response, text);
    request.stream.close(constants.NGHTTP2_NO_ERROR);
    return;
  }
  response.appendHeader("connection", "close");
  response.flushHeaders?.();
  if (text !== "") response.write(text);
  const timeout = setTimeout(() => request.destroy(), lingerMs);
  request.once("end", () => response.end());
  request.once("close", () => clearTimeout(timeout));
  request.resume();
}
