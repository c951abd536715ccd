import type { Interceptor } from "@connectrpc/connect";
import { invalid } from "./errors.ts";

/** Refuses requests with a NUL in any text: PostgreSQL cannot store one, and C programs stop reading there. */
export function createTextInterceptor(): Interceptor {
  return (next) => (request) => {
    if (request.stream) return next({ ...request, message: checked(request.message) });
    refuseNul(request.message);
    return next(request);
  };
}

async function* checked<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message> {
  for await (const message of messages) {
    refuseNul(message);
    yield message;
  }
}

function refuseNul(message: unknown): void {
  const field = fieldWithNul(message, "");
  if (field !== null) throw invalid({ field, description: "must not contain a NUL character" });
}

/** The path of a string that contains a NUL, in the request's snake_case, or null. */
function fieldWithNul(value: unknown, path: string): string | null {
  if (typeof value === "string") return value.includes("\0") ? path : null;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return null;
  for (const [key, part] of Object.entries(value)) {
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const found = fieldWithNul(
      part,
      Array.isArray(value) ? `${path}[${key}]` : path === "" ? name : `${path}.${name}`,
    );
    if (found !== null) return found;
  }
  return null;
}
