import { request as sendRequest } from "node:http";
import type { Socket } from "node:net";
import { type ClientCertificate, type Egress, EgressError } from "./egress.ts";

export interface EgressRequest {
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  url: URL;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** PEM; the well-known roots when left out. */
  ca?: string;
  client?: ClientCertificate;
  isUnverified?: boolean;
  signal: AbortSignal;
  /** For everything from the first look-up to the last octet. */
  timeoutMs?: number;
  /** Of the answer's body. */
  maxBytes?: number;
}

export interface EgressAnswer {
  status: number;
  /** The status line's words: "Not Found". */
  statusText: string;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

const defaultTimeoutMs = 10_000;
const defaultMaxBytes = 65_536;

/**
 * One HTTP call on a connection of its own. A redirect is an answer like any other: it is never followed. Throws EgressError
 * for what may not be reached and for answers beyond the limits, and what the network says otherwise.
 */
export async function callHttp(egress: Egress, call: EgressRequest): Promise<EgressAnswer> {
  const { url, timeoutMs = defaultTimeoutMs } = call;
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([call.signal, limit]);
  try {
    const socket = await openSocket(egress, call, signal);
    try {
      return await exchange(socket, call, signal);
    } finally {
      socket.destroy();
    }
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    if (limit.aborted) throw new EgressError(`${url.host} did not answer within ${timeoutMs / 1000} s`);
    throw error;
  }
}

function openSocket(
  egress: Egress,
  { url, ca, client, isUnverified = false }: EgressRequest,
  signal: AbortSignal,
): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "http:") return egress.connect({ host, port: Number(url.port || 80) }, signal);
  if (url.protocol !== "https:") throw new EgressError(`${url.protocol} is no protocol to call`);
  const destination = { host, port: Number(url.port || 443) };
  return egress.connectTls(destination, {
    ...(ca === undefined ? {} : { ca }),
    ...(client === undefined ? {} : { client }),
    isUnverified,
    signal,
  });
}

async function exchange(socket: Socket, call: EgressRequest, signal: AbortSignal): Promise<EgressAnswer> {
  const { method, url, headers = {}, body, maxBytes = defaultMaxBytes } = call;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const { promise, resolve, reject } = Promise.withResolvers<EgressAnswer>();
  const request = sendRequest({
    method,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, connection: "close", "user-agent": "certctl", ...length, ...headers },
    createConnection: () => socket,
    signal,
  });
  request.once("error", reject);
  request.once("response", (response) => {
    const parts: Buffer[] = [];
    let size = 0;
    response.on("data", (part: Buffer) => {
      size += part.length;
      if (size <= maxBytes) parts.push(part);
      else response.destroy(new EgressError(`${url.host} answered with more than ${maxBytes} octets`));
    });
    response.once("error", reject);
    response.once("end", () =>
      resolve({
        status: response.statusCode ?? 0,
        statusText: response.statusMessage ?? "",
        headers: response.headers,
        body: Buffer.concat(parts),
      }),
    );
  });
  request.end(body);
  return promise;
}
