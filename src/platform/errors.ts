import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/certctl/v1/errors_pb.ts";

/** One offending field of a request and how to mend it. */
export interface FieldViolation {
  /** Path as the caller wrote it: `sans[1]`. */
  field: string;
  description: string;
}

/** Builds the one error type that RPC and REST both render. */
function refuse(code: Code, message: string, reason = "", violations: FieldViolation[] = []): ConnectError {
  return new ConnectError(message, code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, violations } },
  ]);
}

export function invalid(...violations: [FieldViolation, ...FieldViolation[]]): ConnectError {
  const text = violations.map(({ field, description }) => `${field}: ${description}`).join("; ");
  return refuse(Code.InvalidArgument, text, "", violations);
}

export function notFound(what: string, id: string): ConnectError {
  return refuse(Code.NotFound, `${what} ${id} does not exist`);
}

export function alreadyExists(what: string, id: string): ConnectError {
  return refuse(Code.AlreadyExists, `${what} ${id} exists already; ids are never used again`);
}

/** The request is right, but not in the state that things are in now. */
export function conflict(reason: string, message: string, violations: FieldViolation[] = []): ConnectError {
  return refuse(Code.FailedPrecondition, message, reason, violations);
}

/** A compare-and-set lost: the caller's knowledge is out of date. */
export function outdated(reason: string, message: string): ConnectError {
  return refuse(Code.Aborted, message, reason);
}

export function unauthenticated(message: string, reason = ""): ConnectError {
  return refuse(Code.Unauthenticated, message, reason);
}

export function denied(message: string): ConnectError {
  return refuse(Code.PermissionDenied, message);
}

export function unavailable(message: string): ConnectError {
  return refuse(Code.Unavailable, message);
}

/** Too much at once; the caller may come back after so many seconds. */
export function throttled(message: string, retryAfterSeconds: number): ConnectError {
  const error = refuse(Code.ResourceExhausted, message, "THROTTLED");
  error.metadata.set("retry-after", String(Math.max(1, Math.ceil(retryAfterSeconds))));
  return error;
}
