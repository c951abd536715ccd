import { randomUUID } from "node:crypto";
import type { HttpRequest, HttpResponse } from "./http-message.ts";

const headers = {
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};

/** For everything that is not a page: nothing may be framed, sniffed, run or kept. A page sets its own afterwards. */
export function securityHeaders(response: HttpResponse): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/** The caller's x-request-id when it is fit for a log line, otherwise a new UUID. */
export function requestId(request: HttpRequest): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
}
