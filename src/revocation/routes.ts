import { createHash } from "node:crypto";
import type { PkiAnswer, PkiRequest, PkiRoute } from "../pki/listener.ts";
import { answerOcsp, type OcspDeps, type OcspReply } from "./ocsp.ts";

/** How long others may keep a CRL or an OCSP answer without asking again: a revocation is seen after so long. */
const keepSeconds = { crl: 300, ocsp: 3_600, certificate: 86_400 };

/** CRLs, OCSP answers and CA certificates, at the paths that leaves name. */
export function revocationRoutes(deps: OcspDeps): PkiRoute[] {
  const { db, issuing, clock } = deps;

  async function crl({ rest, ifNoneMatch }: PkiRequest): Promise<PkiAnswer | null> {
    const authorityId = fileOf(rest, ".crl");
    const row = authorityId === null ? null : await db.authorityCrl.findUnique({ where: { authorityId } });
    if (!row) return null;
    const headers = {
      "content-type": "application/pkix-crl",
      "last-modified": row.thisUpdate.toUTCString(),
      expires: row.nextUpdate.toUTCString(),
    };
    const until = row.nextUpdate;
    return kept(
      Buffer.from(row.der),
      headers,
      { seconds: keepSeconds.crl, until, now: clock() },
      ifNoneMatch,
    );
  }

  async function certificate({ rest, ifNoneMatch }: PkiRequest): Promise<PkiAnswer | null> {
    const id = fileOf(rest, ".cer");
    const authority = id === null ? null : await issuing.find(id);
    if (!authority) return null;
    const until = new Date(authority.certificate.validTo);
    const keep = { seconds: keepSeconds.certificate, until, now: clock() };
    return kept(authority.der, { "content-type": "application/pkix-cert" }, keep, ifNoneMatch);
  }

  async function ocsp(request: PkiRequest): Promise<PkiAnswer | null> {
    const isGet = request.method === "GET";
    if (isGet && request.rest === "") return null;
    const der = isGet ? fromPath(request.rest) : request.body;
    const reply = await answerOcsp(deps, der, request.address);
    return ocspAnswer(reply, isGet ? request.ifNoneMatch : null, clock());
  }

  return [
    { prefix: "/crl/", methods: ["GET"], answer: crl },
    { prefix: "/ca/", methods: ["GET"], answer: certificate },
    { prefix: "/ocsp", methods: ["POST"], answer: ocsp },
    { prefix: "/ocsp/", methods: ["GET", "POST"], answer: ocsp },
  ];
}

function ocspAnswer(
  { der, keepUntil, waitSeconds }: OcspReply,
  ifNoneMatch: string | null,
  now: Date,
): PkiAnswer {
  const headers = { "content-type": "application/ocsp-response" };
  if (waitSeconds > 0)
    return {
      status: 429,
      headers: { ...headers, "retry-after": String(Math.ceil(waitSeconds)), "cache-control": "no-store" },
      body: der,
    };
  if (!keepUntil || ifNoneMatch === null)
    return { status: 200, headers: { ...headers, "cache-control": "no-store" }, body: der };
  const dates = { expires: keepUntil.toUTCString() };
  const keep = { seconds: keepSeconds.ocsp, until: keepUntil, now };
  return kept(der, { ...headers, ...dates }, keep, ifNoneMatch);
}

/** An answer that others keep, but never to its end, and do not get again while it is the same. */
function kept(
  body: Buffer,
  headers: Record<string, string>,
  { seconds, until, now }: { seconds: number; until: Date; now: Date },
  ifNoneMatch: string,
): PkiAnswer {
  const left = Math.floor((until.getTime() - now.getTime()) / 1000) - 1;
  const etag = `"${createHash("sha256").update(body).digest("hex")}"`;
  const cache = `public, max-age=${Math.max(0, Math.min(seconds, left))}, no-transform, must-revalidate`;
  const all = { ...headers, etag, "cache-control": cache };
  const isSame = ifNoneMatch.split(",").some((each) => each.trim().replace(/^W\//, "") === etag);
  return isSame ? { status: 304, headers: all } : { status: 200, headers: all, body };
}

/** The id in "<id><ending>"; null: it is another path. */
function fileOf(rest: string, ending: string): string | null {
  return /^ca-[a-z0-9-]{1,63}$/.test(rest.slice(0, -ending.length)) && rest.endsWith(ending)
    ? rest.slice(0, -ending.length)
    : null;
}

/** Base64 of a request, in a path that is percent-encoded or not (RFC 6960, A.1). Anything else is no request either. */
function fromPath(rest: string): Buffer {
  try {
    return Buffer.from(decodeURIComponent(rest), "base64");
  } catch {
    return Buffer.alloc(0);
  }
}
