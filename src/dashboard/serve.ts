import { createHash } from "node:crypto";
import type { HttpRequest, HttpResponse } from "../platform/http-message.ts";
import { readFiles, type StoredFile } from "./files.ts";

/** Answers what a browser asks for; false for what is the API's, and for what is neither. */
export type Dashboard = (request: HttpRequest, response: HttpResponse) => boolean;

/** Paths that never lead to a page. */
const api = /^\/(api|certctl\.v1\.|grpc\.|openapi\.json$)/;
/** Their names carry a hash of their content. */
const hashed = /^\/assets\//;

/** Serves a built dashboard: its files, and its one page for every other path that a browser goes to. */
export async function createDashboard(directory: string): Promise<Dashboard> {
  const files = await readFiles(directory);
  const page = files?.get("/index.html") ?? notBuilt;
  const policy = contentPolicy(page.body.toString());

  return (request, response) => {
    const { method, headers } = request;
    const [path = ""] = (request.url ?? "").split("?");
    if ((method !== "GET" && method !== "HEAD") || api.test(path)) return false;
    const isNavigation = String(headers.accept ?? "").includes("text/html") && !hashed.test(path);
    const file = files?.get(path) ?? (path === "/" || isNavigation ? page : undefined);
    if (!file) return false;
    response.statusCode = files ? 200 : 503;
    response.setHeader("content-security-policy", policy);
    response.setHeader(
      "cache-control",
      hashed.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
    );
    send(request, response, file);
    return true;
  };
}

function send({ method, headers }: HttpRequest, response: HttpResponse, file: StoredFile): void {
  response.setHeader("etag", file.etag);
  response.setHeader("vary", "accept-encoding");
  if (String(headers["if-none-match"] ?? "").includes(file.etag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const accepts = (coding: string) =>
    new RegExp(`\\b${coding}\\b(?!;q=0)`).test(String(headers["accept-encoding"] ?? ""));
  const coding = file.br && accepts("br") ? "br" : file.gzip && accepts("gzip") ? "gzip" : undefined;
  const body = (coding && file[coding]) ?? file.body;
  response.setHeader("content-type", file.contentType);
  response.setHeader("content-length", String(body.length));
  if (coding) response.setHeader("content-encoding", coding);
  if (method === "HEAD") response.end();
  else response.end(body);
}

/**
 * Everything comes from this server. Of scripts in the page itself, those run that it was built with: their hashes are taken from
 * it, so that they cannot drift apart.
 */
function contentPolicy(html: string): string {
  const scripts = Array.from(
    html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g),
    ([, text]) => {
      const hash = createHash("sha256")
        .update(text ?? "")
        .digest("base64");
      return ` 'sha256-${hash}'`;
    },
  );
  return [
    "default-src 'none'",
    `script-src 'self'${scripts.join("")}`,
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

const notBuilt: StoredFile = {
  contentType: "text/html; charset=utf-8",
  etag: '"not-built"',
  body: Buffer.from(`<!doctype html>
<html lang="en">
<title>certctl: the dashboard is not built</title>
<main>
<h1>The dashboard is not built</h1>
<p>This control plane runs, and its API answers. Build the dashboard with</p>
<pre>npm run build</pre>
<p>and start it again. The reference of the API is at <a href="/api/docs">/api/docs</a>.</p>
</main>
</html>
`),
};
