import { isLoopback, parseSan } from "../x509/names.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";

/**
 * Answers 421 to a request that was sent to another name than the server's, and returns true. A name that merely points here, as
 * in DNS rebinding, is not the server's: a browser would take its pages for another site's.
 */
export function createHostCheck(
  names: readonly string[],
): (request: HttpRequest, response: HttpResponse) => boolean {
  const known = new Set(names);
  return ({ headers }, response) => {
    const host = String(headers[":authority"] ?? headers.host ?? "");
    const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    if (isLoopback(name) || known.has(canonical(name))) return false;
    const message = "this server does not go by that name; set CERTCTL_SERVER_URL if it should";
    response.statusCode = 421;
    response.setHeader("content-type", "application/json");
    response.end(`${JSON.stringify({ error: "Misdirected Request", code: "permission_denied", message })}\n`);
    return true;
  };
}

function canonical(name: string): string {
  try {
    return parseSan(name).value;
  } catch {
    return "";
  }
}
