import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { JsonObject } from "@bufbuild/protobuf";
import type { HttpRequest, HttpResponse } from "../../platform/http-message.ts";

/** Answers /openapi.json and the reference page below /api/docs; false for any other path. */
export type Reference = (request: HttpRequest, response: HttpResponse) => boolean;

interface Page {
  contentType: string;
  read(): Promise<Uint8Array>;
}

const compress = promisify(gzip);
const inflate = promisify(gunzip);
const html = "text/html; charset=utf-8";
const script = "text/javascript; charset=utf-8";

/** Everything comes from this server, and neither script nor style stands in the page. Swagger UI draws its icons as data. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Serves the document and a page that shows it, from the files of swagger-ui-dist. */
export function createReference(document: JsonObject): Reference {
  const text = Buffer.from(`${JSON.stringify(document, null, 1)}\n`);
  const pages: Record<string, Page> = {
    "/openapi.json": { contentType: "application/json", read: async () => text },
    "/api/docs": own("index.html", html),
    "/api/docs/start.js": own("start.js", script),
    "/api/docs/swagger-ui-bundle.js": packaged(
      import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
      script,
    ),
    "/api/docs/swagger-ui.css": packaged(
      import.meta.resolve("swagger-ui-dist/swagger-ui.css"),
      "text/css; charset=utf-8",
    ),
  };
  const bodies = new Map<string, Promise<Buffer>>();
  return (request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (!page || (request.method !== "GET" && request.method !== "HEAD")) return false;
    const body = bodies.get(path) ?? page.read().then((bytes) => compress(bytes));
    bodies.set(path, body);
    body.then((bytes) => send(request, response, page, bytes)).catch(() => response.destroy());
    return true;
  };
}

function own(name: string, contentType: string): Page {
  return { contentType, read: () => readFile(join(import.meta.dirname, "page", name)) };
}

function packaged(url: string, contentType: string): Page {
  return { contentType, read: () => readFile(fileURLToPath(url)) };
}

/** What is kept is compressed; a client that cannot read that gets it inflated. */
async function send(
  request: HttpRequest,
  response: HttpResponse,
  { contentType }: Page,
  zipped: Buffer,
): Promise<void> {
  const isZipWanted = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  const body = isZipWanted ? zipped : await inflate(zipped);
  response.setHeader("content-type", contentType);
  response.setHeader("content-security-policy", policy);
  response.setHeader("cache-control", "no-cache");
  response.setHeader("vary", "accept-encoding");
  if (isZipWanted) response.setHeader("content-encoding", "gzip");
  response.setHeader("content-length", String(body.length));
  if (request.method === "HEAD") response.end();
  else response.end(body);
}
