import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";

export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** What the gateway needs of `ServerResponse` and `Http2ServerResponse`. */
export interface NodeResponse extends EventEmitter {
  statusCode: number;
  readonly headersSent: boolean;
  appendHeader(name: string, value: string): unknown;
  setHeader(name: string, value: string): unknown;
  flushHeaders?(): void;
  write(chunk: string): boolean;
  end(): unknown;
  end(chunk: string | Uint8Array): unknown;
  destroy(): unknown;
}

/** One request with its response. */
export interface Exchange {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
}

/** Ends a response. Node 24 garbles what an HTTP/2 response wrote before if it ends with an empty string. */
export function finish(response: NodeResponse, text: string): void {
  if (text === "") response.end();
  else response.end(text);
}

/** The request's headers without HTTP/2's pseudo-headers. */
export function headersOf(request: NodeRequest): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(":")) continue;
    for (const each of Array.isArray(value) ? value : [value ?? ""]) headers.append(name, each);
  }
  return headers;
}

/** The absolute URL that was asked for. */
export function urlOf(request: NodeRequest): string {
  const scheme = "encrypted" in request.socket ? "https" : "http";
  const authority = request.headers[":authority"] ?? request.headers.host ?? "localhost";
  return `${scheme}://${authority}${request.url ?? "/"}`;
}

/** Whether the client has not sent all of its body yet. */
export function isSending(request: NodeRequest): boolean {
  if (request.complete) return false;
  if ("stream" in request) return !request.stream.endAfterHeaders;
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  return coding !== undefined || Number(length) > 0;
}

/** Sets an answer's headers in place of what stands for every answer; of cookies alone there may be several. */
export function setHeaders(response: NodeResponse, headers: Headers): void {
  for (const [name, value] of headers) {
    if (name === "set-cookie") response.appendHeader(name, value);
    else response.setHeader(name, value);
  }
}
