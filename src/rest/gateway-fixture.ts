import { once } from "node:events";
import { createServer } from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { JsonValue } from "@bufbuild/protobuf";
import { createContextValues } from "@connectrpc/connect";
import { createValidateInterceptor } from "@connectrpc/validate";
import { requestIdKey } from "../platform/request.ts";
import { createRestGateway, type RestGatewayOptions } from "./gateway.ts";

interface Reply {
  status: number;
  headers: Record<string, string>;
  text: string;
  /** The body; null where it is empty. */
  json: JsonValue;
}

interface Ask {
  headers?: Record<string, string>;
  /** A string goes out as it is, anything else as JSON. */
  body?: unknown;
}

/** Sends one request: `ask("GET /api/v1/jobs")`. */
type Client = (target: string, ask?: Ask) => Promise<Reply>;

export interface RunningGateway extends AsyncDisposable {
  origins: { h1: string; h2: string };
  h1: Client;
  h2: Client;
  /** What onError was told. */
  errors: unknown[];
}

/** Serves the gateway by an HTTP/1.1 and an HTTP/2 server on free ports; other paths answer 418. */
export async function startGateway(
  options: Partial<RestGatewayOptions> & Pick<RestGatewayOptions, "routes">,
): Promise<RunningGateway> {
  const errors: unknown[] = [];
  const gateway = createRestGateway({
    interceptors: [createValidateInterceptor()],
    contextValues: () => createContextValues().set(requestIdKey, "req-1"),
    shutdownSignal: new AbortController().signal,
    onError: (error) => errors.push(error),
    ...options,
  });
  const h1Server = createServer((request, response) => {
    if (!gateway(request, response)) response.writeHead(418).end();
  });
  const h2Server = http2.createServer((request, response) => {
    if (!gateway(request, response)) response.writeHead(418).end();
  });
  const origins = { h1: await listen(h1Server), h2: await listen(h2Server) };
  const session = http2.connect(origins.h2);
  return {
    origins,
    errors,
    h1: (target, ask) => askH1(origins.h1, target, ask),
    h2: (target, ask) => askH2(session, target, ask),
    async [Symbol.asyncDispose]() {
      session.destroy();
      h1Server.closeAllConnections();
      const closed = [once(h1Server, "close"), once(h2Server, "close")];
      h1Server.close();
      h2Server.close();
      await Promise.all(closed);
    },
  };
}

async function listen(server: ReturnType<typeof createServer> | http2.Http2Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function parts(target: string, { headers = {}, body }: Ask) {
  const [method = "", path = ""] = target.split(" ", 2);
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const type = text === undefined ? {} : { "content-type": "application/json" };
  return { method, path, headers: { ...type, ...headers }, text };
}

async function askH1(origin: string, target: string, ask: Ask = {}): Promise<Reply> {
  const { method, path, headers, text } = parts(target, ask);
  const response = await fetch(origin + path, { method, headers, body: text ?? null });
  return reply(response.status, Object.fromEntries(response.headers), await response.text());
}

async function askH2(session: http2.ClientHttp2Session, target: string, ask: Ask = {}): Promise<Reply> {
  const { method, path, headers, text } = parts(target, ask);
  const stream = session.request({ ":method": method, ":path": path, ...headers });
  stream.end(text);
  const [answered] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  let received = "";
  for await (const chunk of stream.setEncoding("utf8")) received += chunk;
  const { ":status": status, ...rest } = answered;
  return reply(Number(status), rest as Record<string, string>, received);
}

function reply(status: number, headers: Record<string, string>, text: string): Reply {
  const isJson = headers["content-type"]?.startsWith("application/json") ?? false;
  return { status, headers, text, json: isJson && text ? (JSON.parse(text) as JsonValue) : null };
}
