import { once } from "node:events";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { csvHead, csvRow } from "./csv.ts";
import { finish, type NodeResponse, setHeaders } from "./node.ts";

/** How messages lie in the body of a stream's answer. Pings say nothing and keep proxies from cutting an idle stream. */
interface Format {
  readonly contentType: string;
  readonly start: string;
  readonly ping: string;
  readonly end: string;
  message(json: JsonValue): string;
  /** Undefined: the format has no words for it, and the connection is cut instead. */
  error(json: JsonValue): string | undefined;
}

/** One JSON text a line; an error is the last line, told by its key `error`. */
const lines: Format = {
  contentType: "application/x-ndjson",
  start: "",
  ping: "\n",
  end: "",
  message: (json) => `${JSON.stringify(json)}\n`,
  error: (json) => `${JSON.stringify(json)}\n`,
};

/** Server-sent events. `end` tells a finished stream from a lost one, which a client opens again. */
const events: Format = {
  contentType: "text/event-stream; charset=utf-8",
  start: "",
  ping: ": ping\n\n",
  end: "event: end\ndata: {}\n\n",
  message: (json) => `data: ${JSON.stringify(json)}\n\n`,
  error: (json) => `event: error\ndata: ${JSON.stringify(json)}\n\n`,
};

/** A table: each message is a row, each of its fields a column. What is cut off is incomplete, and says so by that. */
function table(columns: readonly string[]): Format {
  return {
    contentType: "text/csv; charset=utf-8; header=present",
    start: csvHead(columns),
    ping: "",
    end: "",
    message: (json) => csvRow(columns, json as JsonObject),
    error: () => undefined,
  };
}

function formatOf(accept: string, columns: readonly string[]): Format {
  const accepts = (type: string) =>
    accept.split(",").some((part) => part.split(";", 1)[0]?.trim().toLowerCase() === type);
  if (accepts("text/event-stream")) return events;
  return accepts("text/csv") ? table(columns) : lines;
}

/** A client that takes nothing for this long is cut off. */
const stalledAfterMs = 60_000;

/**
 * Sends messages as they come: server-sent events or CSV to those who accept them, else lines of JSON. The header waits for
 * the first message, so that a call which fails at once has a status; throws what comes before it.
 */
export async function sendStream(options: {
  messages: AsyncIterable<JsonValue>;
  response: NodeResponse;
  accept: string;
  /** The fields of a message. */
  columns: readonly string[];
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
  const format = formatOf(options.accept, options.columns);
  const iterator = messages[Symbol.asyncIterator]();
  let next = await iterator.next();
  open(response, format, options.head());
  const pings = setInterval(() => format.ping && response.write(format.ping), options.pingIntervalMs);
  gone.addEventListener("abort", () => clearInterval(pings));
  try {
    if (format.start && !options.isHead) await write(response, format.start, gone);
    for (; !next.done && !gone.aborted && !options.isHead; next = await iterator.next())
      await write(response, format.message(next.value), gone);
    finish(response, options.isHead ? "" : format.end);
  } catch (error) {
    const words = gone.aborted ? undefined : format.error(options.describe(error));
    if (words !== undefined) finish(response, words);
    else if (!gone.aborted) response.destroy();
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
  setHeaders(response, headers);
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
