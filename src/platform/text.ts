import type { Interceptor } from "@connectrpc/connect";
import { type FieldViolation, invalid } from "./errors.ts";

/**
 * Refuses requests with text that PostgreSQL cannot store: a NUL, at which C programs stop reading, or half of a surrogate
 * pair, which is no Unicode.
 */
export function createTextInterceptor(): Interceptor {
  return (next) => (request) => {
    if (request.stream) return next({ ...request, message: checked(request.message) });
    requireText(request.message);
    return next(request);
  };
}

async function* checked<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message> {
  for await (const message of messages) {
    requireText(message);
    yield message;
  }
}

function requireText(message: unknown): void {
  const problem = problemIn(message, "");
  if (problem !== null) throw invalid(problem);
}

/** The first string that is no text, by its path in the request's snake_case, or null. */
function problemIn(value: unknown, path: string): FieldViolation | null {
  if (typeof value === "string") return problemOf(value, path);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return null;
  for (const [key, part] of Object.entries(value)) {
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const isItem = Array.isArray(value);
    const own = isItem ? `${path}[${key}]` : path === "" ? name : `${path}.${name}`;
    // Names that the caller chose are text like any other.
    const found = (isItem ? null : problemOf(key, path)) ?? problemIn(part, own);
    if (found !== null) return found;
  }
  return null;
}

function problemOf(text: string, field: string): FieldViolation | null {
  if (text.includes("\0")) return { field, description: "must not contain a NUL character" };
  if (!text.isWellFormed()) return { field, description: "must be Unicode, without half a surrogate pair" };
  return null;
}
