import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { buffer } from "node:stream/consumers";
import { brotliCompressSync, brotliDecompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScratch } from "../../test/openssl.ts";
import { securityHeaders } from "../platform/http-headers.ts";
import type { HttpRequest, HttpResponse } from "../platform/http-message.ts";
import { createDashboard, type Dashboard } from "./serve.ts";

const theme = "document.documentElement.dataset.theme = 'dark'";
const html = `<!doctype html><script>${theme}</script><script type="module" src="/assets/a-1.js"></script>`;
const script = "export {};".repeat(100);

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: Buffer;
}

const parts = new AsyncDisposableStack();
let directory: string;
let ask: (target: string, headers?: Record<string, string>) => Promise<Answer>;

/** Asks by HTTP/1.1 and by HTTP/2, which have to agree. */
async function serve(dashboard: Dashboard): Promise<typeof ask> {
  const handler = (request: HttpRequest, response: HttpResponse) => {
    securityHeaders(response);
    if (dashboard(request, response)) return;
    response.statusCode = 418;
    response.end();
  };
  const servers = [createServer(handler), http2.createServer(handler)] as const;
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push((server.address() as AddressInfo).port);
    parts.defer(() => void server.close());
  }
  const session = http2.connect(`http://127.0.0.1:${ports[1]}`);
  parts.defer(() => session.close());
  return async (target, headers = {}) => {
    const [method = "", path = ""] = target.split(" ");
    const answer = await fetch1(`http://127.0.0.1:${ports[0]}${path}`, method, headers);
    const stream = session.request({ ":method": method, ":path": path, ...headers });
    const [head] = await once(stream, "response");
    const body = await buffer(stream);
    expect({ status: head[":status"], body: body.toString("hex") }).toEqual({
      status: answer.status,
      body: answer.body.toString("hex"),
    });
    return answer;
  };
}

/** Unlike fetch, it leaves the body as it came. */
async function fetch1(url: string, method: string, headers: Record<string, string>): Promise<Answer> {
  const sent = request(url, { method, headers, agent: false });
  sent.end();
  const [response] = await once(sent, "response");
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

beforeAll(async () => {
  const scratch = parts.use(await openScratch());
  directory = scratch.path("dist");
  const files = {
    "index.html": html,
    "favicon.svg": "<svg/>",
    "assets/a-1.js": script,
    "assets/a-1.js.br": brotliCompressSync(script),
    "assets/a-1.js.gz": gzipSync(script),
    "assets/a-1.js.map": "{}",
    ".vite/manifest.json": "{}",
  };
  for (const [name, content] of Object.entries(files)) {
    const path = scratch.path(`dist/${name}`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  ask = await serve(await createDashboard(directory));
});
afterAll(() => parts.disposeAsync());

const browser = {
  accept: "text/html,application/xhtml+xml,*/*;q=0.8",
  "accept-encoding": "gzip, deflate, br",
};

describe("the dashboard", () => {
  test.each(["/", "/certificates", "/certificates/mc-1/journey?tab=a.b", "/audit/audit-1", "/some.thing"])(
    "is one page, at %s as well",
    async (path) => {
      const { status, headers, body } = await ask(`GET ${path}`, browser);
      expect({ status, body: body.toString() }).toEqual({ status: 200, body: html });
      expect(headers).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-cache",
      });
    },
  );

  test("lets nothing in from elsewhere, and runs of inline scripts only its own", async () => {
    const { headers } = await ask("GET /", browser);
    const policy = String(headers["content-security-policy"]);
    const hash = createHash("sha256").update(theme).digest("base64");
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}';`);
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers).toMatchObject({ "x-frame-options": "DENY", "x-content-type-options": "nosniff" });
  });

  test("sends a hashed file compressed as the browser takes it, to be kept for ever", async () => {
    const brotli = await ask("GET /assets/a-1.js", browser);
    expect(brotli.headers).toMatchObject({
      "content-encoding": "br",
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      vary: "accept-encoding",
    });
    expect(brotliDecompressSync(brotli.body).toString()).toBe(script);
    const zipped = await ask("GET /assets/a-1.js", { "accept-encoding": "gzip, br;q=0" });
    expect(zipped.headers["content-encoding"]).toBe("gzip");
    const plain = await ask("GET /assets/a-1.js");
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(plain.body.toString()).toBe(script);
    expect((await ask("HEAD /assets/a-1.js")).body).toHaveLength(0);
  });

  test("is not sent again while it is the same", async () => {
    const { headers } = await ask("GET /", browser);
    const again = await ask("GET /certificates", { ...browser, "if-none-match": String(headers["etag"]) });
    expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  });

  test.each([
    "GET /assets/gone-2.js",
    "GET /api/nothing",
    "GET /api/v1/session",
    "GET /certctl.v1.TeamService/ListTeams",
    "GET /openapi.json",
    "POST /certificates",
    "GET /.vite/manifest.json/../manifest.json",
  ])("leaves %s to others", async (target) => {
    expect((await ask(target, target.includes("vite") ? {} : browser)).status).toBe(418);
  });

  test.each(["/.vite/manifest.json", "/assets/a-1.js.map", "/%2e%2e/package.json", "/../package.json"])(
    "shows programs nothing at %s",
    async (path) => {
      expect((await ask(`GET ${path}`)).status).toBe(418);
    },
  );

  test("stays whole while it is built again", async () => {
    await rm(directory, { recursive: true });
    expect((await ask("GET /assets/a-1.js")).body.toString()).toBe(script);
  });

  test("that was not built says how", async () => {
    const empty = await serve(await createDashboard(`${directory}-none`));
    const { status, body } = await empty("GET /certificates", browser);
    expect(status).toBe(503);
    expect(body.toString()).toContain("npm run build");
    expect((await empty("GET /api/v1/x", browser)).status).toBe(418);
  });
});
