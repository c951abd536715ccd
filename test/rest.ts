import { once } from "node:events";
import { request } from "node:https";

/** An answer of the REST API. */
export interface RestAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  body: any;
  /** The body as it came. */
  bytes: Buffer;
}

/** A REST client like curl: one call, one connection. */
export type Rest = (
  method: string,
  path: string,
  body?: unknown,
  options?: {
    apiKey?: string | null;
    raw?: string;
    cert?: string;
    key?: string;
    headers?: Record<string, string>;
  },
) => Promise<RestAnswer>;

export function restClient({ url, ca, apiKey }: { url: string; ca: string; apiKey: string }): Rest {
  return async (method, path, body, options = {}) => {
    const bearer = options.apiKey === undefined ? apiKey : options.apiKey;
    const text = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const call = request(new URL(path, url), {
      method,
      ca,
      agent: false,
      // Otherwise Node takes the Host header for it.
      servername: new URL(url).hostname,
      headers: {
        ...options.headers,
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(text === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
      },
      ...(options.cert ? { cert: options.cert, key: options.key } : {}),
    });
    call.end(text);
    const [response] = await once(call, "response");
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part);
    const bytes = Buffer.concat(parts);
    const answer = bytes.toString();
    const isJson = String(response.headers["content-type"]).startsWith("application/json");
    return {
      status: response.statusCode,
      headers: response.headers,
      body: isJson ? JSON.parse(answer) : answer,
      bytes,
    };
  };
}
