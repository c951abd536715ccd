import type { DescMethod } from "@bufbuild/protobuf";
import { createContextKey } from "@connectrpc/connect";
import { denied } from "../platform/errors.ts";
import type { HttpRequest } from "../platform/http-message.ts";

/** Browsers take it from this host alone, over TLS alone, for all of its paths. */
export const sessionCookie = "__Host-certctl";

/** What a browser sends by itself, whichever page made it send the request. */
export interface Browser {
  /** What the session's cookie holds. */
  token: string | null;
  /** Whose page sent the request; none: it does not say. */
  page: "own" | "foreign" | "none";
  /** By its method the request changes nothing. */
  isSafe: boolean;
  /** False for what a page reads again by itself while nobody is at it. */
  isAttended: boolean;
}

export const browserKey = createContextKey<Browser>(
  { token: null, page: "none", isSafe: false, isAttended: true },
  { description: "browser" },
);

export function browserOf({ headers, method = "" }: Pick<HttpRequest, "headers" | "method">): Browser {
  const token = new RegExp(`(?:^|; *)${sessionCookie}=([^;]+)`).exec(headers.cookie ?? "")?.[1] ?? null;
  const host = String(headers[":authority"] ?? headers.host ?? "");
  const { origin } = headers;
  return {
    token,
    page: origin === undefined ? "none" : origin === originOf(host) ? "own" : "foreign",
    isSafe: method === "GET" || method === "HEAD",
    isAttended: headers["certctl-unattended"] === undefined,
  };
}

/** The default port shows in no origin. */
function originOf(host: string): string | null {
  return URL.parse(`https://${host}`)?.origin ?? null;
}

/**
 * The session that stands for the caller. Null without a cookie. Throws PermissionDenied for a request that another page may
 * have caused: the cookie comes along whether its holder wants it or not.
 */
export function sessionOf(
  { token, page, isSafe, isAttended }: Browser,
  method: DescMethod,
): { token: string; isUse: boolean } | null {
  if (token === null) return null;
  if (page === "foreign") throw denied("a session is taken from certctl's own pages only");
  if (page === "none" && !isSafe)
    throw denied(
      "with a session, a call that may change something needs the Origin header of certctl's page",
    );
  // A stream is opened again by itself, too.
  return { token, isUse: isAttended && method.methodKind === "unary" };
}
