import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log } from "../platform/log.ts";
import { StartupError } from "../platform/startup-error.ts";

/** What is asked over plain HTTP, where everyone reads and may change what travels: only what proves itself is served. */
export interface PkiRequest {
  method: "GET" | "POST";
  /** What follows the route's prefix, exactly as it was sent: not decoded, not normalized, with its query. */
  rest: string;
  contentType: string;
  /** Of the copy that the client has, if it asks whether there is a newer one. */
  ifNoneMatch: string;
  body: Buffer;
  /** The client's IP address. */
  address: string;
}

export interface PkiAnswer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array | string;
}

/** Everything below a path. */
export interface PkiRoute {
  /** "/crl/": with the slash that ends it, or a whole path. The longest that fits answers. */
  prefix: string;
  methods: readonly ("GET" | "POST")[];
  /** Null: there is nothing at this path. */
  answer(request: PkiRequest, signal: AbortSignal): Promise<PkiAnswer | null>;
}

export interface PkiListener extends AsyncDisposable {
  port: number;
}

const limits = {
  /** A GET of OCSP carries its request in the path. */
  headerBytes: 8 * 1024,
  bodyBytes: 16 * 1024,
  headersMs: 10_000,
  requestMs: 15_000,
  keepAliveMs: 15_000,
  answerMs: 10_000,
  connections: 2_000,
  requestsOfAConnection: 1_000,
};

/** Serves the routes, and nothing else, over plain HTTP/1.1. */
export async function startPkiListener(options: {
  port: number;
  address: string;
  routes: readonly PkiRoute[];
  log: Log;
}): Promise<PkiListener> {
  const { port, address, log } = options;
  const routes = options.routes.toSorted((a, b) => b.prefix.length - a.prefix.length);

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    const route = routes.find(({ prefix }) =>
      prefix.endsWith("/") ? path.startsWith(prefix) : path === prefix,
    );
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (!route) return send(request, response, plain(404, "nothing is here"));
    if ((method !== "GET" && method !== "POST") || !route.methods.includes(method)) {
      const allow = route.methods.flatMap((each) => (each === "GET" ? ["GET", "HEAD"] : [each])).join(", ");
      return send(request, response, { ...plain(405, `this takes ${allow}`), headers: { allow } });
    }
    const body = await readBody(request);
    if (body === null) {
      response.setHeader("connection", "close");
      return send(request, response, plain(413, `a body has at most ${limits.bodyBytes} octets`));
    }
    const asked: PkiRequest = {
      method,
      rest: path.slice(route.prefix.length),
      contentType: (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "",
      ifNoneMatch: request.headers["if-none-match"] ?? "",
      body,
      address: request.socket.remoteAddress ?? "",
    };
    const answer = await route.answer(asked, AbortSignal.timeout(limits.answerMs));
    send(request, response, answer ?? plain(404, "nothing is here"));
  }

  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      respond(request, response).catch((error: unknown) => {
        if (request.destroyed && !request.complete) return;
        log.error({ err: error, path: request.url?.slice(0, 200) }, "the PKI listener could not answer");
        if (response.headersSent) response.destroy();
        else send(request, response, plain(500, "this could not be answered"));
      });
    },
  );
  server.maxConnections = limits.connections;
  server.maxRequestsPerSocket = limits.requestsOfAConnection;
  server.listen({ port, host: address, backlog: 1024 });
  try {
    await once(server, "listening");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new StartupError(
      `CERTCTL_PKI_PORT ${port} cannot be opened on ${address} (${code ?? message}); set it or CERTCTL_PKI_ADDRESS to another`,
      { cause },
    );
  }
  server.on("error", (error) => log.warn({ err: error }, "the PKI listener could not accept a connection"));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Null: it is longer than it may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limits.bodyBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function plain(status: number, text: string): PkiAnswer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: `${text}\n` };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers = {}, body = "" }: PkiAnswer,
) {
  response.statusCode = status;
  response.setHeader("x-content-type-options", "nosniff");
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const bytes = Buffer.from(body as Uint8Array);
  if (status !== 304) response.setHeader("content-length", bytes.length);
  response.end(request.method === "HEAD" || status === 304 ? undefined : bytes);
}
