import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { makeChain } from "./certificates.ts";

/** What a receiver was sent. */
export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A web server on loopback that keeps what it is sent. */
export interface Receiver extends AsyncDisposable {
  /** "https://localhost:40123", with a certificate of `ca`. */
  url: string;
  /** PEM. */
  ca: string;
  received: Received[];
  /** What the next calls are answered with: 200 and "ok" at first. */
  answer: { status: number; body: string };
}

export async function startReceiver(options: { isPlain?: boolean } = {}): Promise<Receiver> {
  const chain = makeChain({ sans: ["localhost"] });
  const listener: RequestListener = async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const { method = "", url: path = "", headers } = request;
    receiver.received.push({ method, path, headers, body: Buffer.concat(parts).toString() });
    response.writeHead(receiver.answer.status).end(receiver.answer.body);
  };
  const server = options.isPlain
    ? createHttpServer(listener)
    : createHttpsServer({ cert: chain.leafPem + chain.intermediatePem, key: chain.keyPem }, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `${options.isPlain ? "http" : "https"}://localhost:${port}`,
    ca: chain.rootPem,
    received: [],
    answer: { status: 200, body: "ok" },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return receiver;
}
