import type { DescMethod, JsonObject, JsonValue, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createHandlerContext,
  type UnaryResponse,
} from "@connectrpc/connect";
import { type Answer, send } from "./answer.ts";
import type { Binding } from "./binding.ts";
import { readBody } from "./body.ts";
import { call } from "./dispatch.ts";
import { sendFile } from "./file-answer.ts";
import { encodeJson } from "./json.ts";
import { type Exchange, headersOf, type NodeRequest, urlOf } from "./node.ts";
import { requestMessage } from "./request-message.ts";
import { sendStream } from "./stream.ts";

/** The reason of a finished call's signal; made once, because making it costs a stack trace. */
const callCompleted = new ConnectError("the call is complete", Code.Canceled);

export interface CallOptions {
  /** Runs before the body is read: authentication. Throws ConnectError to refuse. */
  before?: (request: NodeRequest, method: DescMethod, values: ContextValues) => Promise<void>;
  /** Aborts every call's signal; ends the streams that are open. */
  shutdownSignal: AbortSignal;
  /** Largest body in bytes; 1 MiB where left out. */
  readMaxBytes?: number;
  /** Of streams, in milliseconds; 15000 where left out. */
  pingIntervalMs?: number;
}

/** Reads the request of a call, runs it and sends what it answers. */
export async function perform(work: {
  binding: Binding;
  exchange: Exchange;
  path: string;
  search: string;
  variables: ReadonlyMap<string, string>;
  values: ContextValues;
  gone: AbortSignal;
  explain: (error: unknown) => Answer;
  options: CallOptions;
}): Promise<void> {
  const { binding, exchange, path, search, variables, values, gone, explain, options } = work;
  const { request, response } = exchange;
  const { method } = binding.spec;
  await options.before?.(request, method, values);
  const maxBytes = options.readMaxBytes ?? 1024 * 1024;
  const body = binding.body && (await readBody(request, { maxBytes, signal: gone }));
  const message = requestMessage(binding, { variables, search, body });
  const context = createHandlerContext({
    service: method.parent,
    method,
    protocolName: "rest",
    requestMethod: request.method ?? "",
    url: urlOf(request),
    requestHeader: headersOf(request),
    requestSignal: gone,
    shutdownSignal: options.shutdownSignal,
    contextValues: values,
  });
  try {
    const answer = await call(binding, context, message);
    if (!answer.stream && binding.isFile) {
      const file = encodeJson(method.output, answer.message);
      sendFile(exchange, { status: binding.status, headers: uncached(answer.header), file });
      return;
    }
    if (!answer.stream) {
      send(exchange, success(binding, path, answer));
      return;
    }
    await sendStream({
      messages: render(binding, answer.message),
      response,
      accept: request.headers.accept ?? "",
      columns: columnsOf(binding),
      head: () => ({ status: binding.status, headers: uncached(answer.header) }),
      isHead: request.method === "HEAD",
      pingIntervalMs: options.pingIntervalMs ?? 15_000,
      gone,
      describe: (error) => explain(error).body ?? null,
    });
  } finally {
    context.abort(callCompleted);
  }
}

async function* render(binding: Binding, messages: AsyncIterable<Message>): AsyncGenerator<JsonValue> {
  for await (const message of messages) yield visible(binding, message);
}

/** What of an answer the caller sees. */
function visible({ spec, responseBody }: Binding, message: Message): JsonValue {
  const json = encodeJson(spec.method.output, message);
  return responseBody ? (json[responseBody.name] ?? null) : json;
}

/** The fields of what a stream sends. */
function columnsOf({ spec, responseBody }: Binding): string[] {
  return (responseBody?.message ?? spec.method.output).fields.map(({ name }) => name);
}

function success(binding: Binding, path: string, { message, header }: UnaryResponse): Answer {
  const { status } = binding;
  const headers = uncached(header);
  if (status === 204) return { status, headers, body: undefined };
  const body = visible(binding, message);
  const id = (body as JsonObject | null)?.["id"];
  if (status === 201 && typeof id === "string" && id !== "")
    headers.set("location", `${path}/${encodeURIComponent(id)}`);
  return { status, headers, body };
}

/** The implementation's headers; answers are no caches' business unless it says so. */
function uncached(header: Headers): Headers {
  const headers = new Headers(header);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  return headers;
}
