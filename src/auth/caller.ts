import type { IncomingHttpHeaders } from "node:http";
import { createContextKey } from "@connectrpc/connect";
import { type HttpRequest, socketOf } from "../platform/http-message.ts";
import { isLoopback } from "../x509/names.ts";

/** What is known of a caller before it says who it is. */
export interface Caller {
  /** The other end of the connection. */
  address: string;
  /** Why the call may not go without a credential even where none is asked for; null if it may. */
  notLocal: string | null;
}

export const callerKey = createContextKey<Caller>(
  { address: "", notLocal: "the connection is unknown" },
  { description: "caller" },
);

export function callerOfRequest(request: HttpRequest): Caller {
  const address = socketOf(request).remoteAddress ?? "";
  return { address, notLocal: whyNotLocal(address, request.headers) };
}

/** Headers that say that somebody else sent the request on. */
const proxyHeaders = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "cf-connecting-ip",
  "true-client-ip",
];

/** A program on this machine that calls directly: no proxy, no foreign web page, no name that merely points here. */
export function whyNotLocal(address: string, headers: IncomingHttpHeaders): string | null {
  const proxied = proxyHeaders.find((name) => headers[name] !== undefined);
  if (proxied) return `it came through a proxy (${proxied})`;
  if (!isLoopback(address.replace(/^::ffff:/i, ""))) return `it came from ${address}`;
  const host = String(headers[":authority"] ?? headers.host ?? "");
  const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  if (!isLoopback(name)) return `it was sent to ${host}, which is no name of this machine`;
  const { origin } = headers;
  if (origin !== undefined && origin !== `https://${host}`) return `a page of ${origin} sent it`;
  return null;
}
