import { once } from "node:events";
import type { JsonValue } from "@bufbuild/protobuf";
import { finish, type NodeResponse } from "./node.ts";

/** How messages lie in the body of a stream's answer. Pings say nothing and keep proxies from cutting an idle stream. */
interface Format {
  readonly contentType: string;
  readonly ping: string;
  readonly end: string;
  message(json: string): string;
  error(json: string): string;
}

/** One JSON text a line; an error is the last line, told by its key `error`. */
const lines: Format = {
  contentType: "application/x-ndjson",
  ping: "\n",
  end: "",
  message: (json) => `${json}\n`,
  error: (json) => `${json}\n`,
};

/** Server-sent events. `end` tells a finished stream from a lost one, which a client opens again. */
const events: Format = {
  contentType: "text/event-stream; charset=utf-8",
  ping: ": ping\n\n",
  end: "event: end\ndata: {}\n\n",
  message: (json) => `data: ${json}\n\n`,
  error: (json) => `event: error\ndata: ${json}\n\n`,
};

/** A client that takes nothing for this long is cut off. */
const stalledAfterMs = 60_000;

/**
 * Sends messages as they come: server-sent events to those who accept them, else lines of JSON. The header waits for
 * the first message, so that a call which fails at once has a status; throws what comes before it.
 */
export async function sendStream(options: {
  messages: AsyncIterable<JsonValue>;
  response: NodeResponse;
  accept: string;
  /** Status and headers; read after the first message, when the implementation has set them. */
  head: () => { status: number; headers: Headers };
  isHead: boolean;
  pingIntervalMs: number;
  /** Aborted when the client has left. */
  gone: AbortSignal;
  /** The body that tells of an error after the first message. */
  describe: (error: unknown) => JsonValue;
}): Promise<void> {
  const { messages, response, gone } = options;
  const format = /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(options.accept) ? events : lines;
  const iterator = messages[Symbol.asyncIterator]();
  let next = await iterator.next();
  open(response, format, options.head());
  const pings = setInterval(() => response.write(format.ping), options.pingIntervalMs);
  gone.addEventListener("abort", () => clearInterval(pings));
  try {
    for (; !next.done && !gone.aborted && !options.isHead; next = await iterator.next())
      await write(response, format.message(JSON.stringify(next.value)), gone);
    finish(response, options.isHead ? "" : format.end);
  } catch (error) {
    if (!gone.aborted) finish(response, format.error(JSON.stringify(options.describe(error))));
  } finally {
    clearInterval(pings);
    await iterator.return?.();
  }
}

function open(
  response: NodeResponse,
  format: Format,
  { status, headers }: { status: number; headers: Headers },
): void {
  response.statusCode = status;
  for (const [name, value] of headers) response.appendHeader(name, value);
  response.appendHeader("content-type", format.contentType);
  // nginx would hold the messages back.
  response.appendHeader("x-accel-buffering", "no");
}

/** Writes, and waits until there is room for more. */
async function write(response: NodeResponse, text: string, gone: AbortSignal): Promise<void> {
  if (gone.aborted || response.write(text)) return;
  const signal = AbortSignal.any([gone, AbortSignal.timeout(stalledAfterMs)]);
  await once(response, "drain", { signal }).catch(() => response.destroy());
}
