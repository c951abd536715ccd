import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type JsonObject,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import { type RestRule, rulesOf } from "../../../src/rest/binding.ts";
import { encodeJson, readJson } from "../../../src/rest/json.ts";
import { errorOf, unreachable } from "./errors.ts";
import { jsonLines } from "./json-lines.ts";
import { requestOf } from "./request.ts";

/** Told of every answer: who listens knows whether the control plane is there, and whether the caller is signed in. */
export interface TransportOptions {
  /** Sent with every call that is not a stream. */
  headers?(): Record<string, string>;
  onAnswer?(status: number, method: DescMethod): void;
  onUnreachable?(): void;
}

/**
 * Carries typed calls over the REST API: the method's `google.api.http` rule makes the request, the gateway's own codec
 * reads the answer. What a page shows is what curl shows.
 */
export function createRestTransport(options: TransportOptions = {}): Transport {
  async function send(
    method: DescMethod,
    rule: RestRule,
    input: JsonObject,
    headers: Headers,
    signal?: AbortSignal,
  ) {
    const { url, init } = requestOf(rule, input);
    for (const [name, value] of Object.entries(init.headers)) headers.set(name, value);
    headers.set(
      "accept",
      method.methodKind === "server_streaming" ? "application/x-ndjson" : "application/json",
    );
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers, credentials: "same-origin", signal: signal ?? null });
    } catch (cause) {
      if (!signal?.aborted) options.onUnreachable?.();
      throw unreachable(cause, signal);
    }
    if (!isGateways(response)) {
      options.onUnreachable?.();
      throw unreachable(new Error(`an answer of ${response.status} that is not certctl's`), signal);
    }
    options.onAnswer?.(response.status, method);
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  return {
    async unary<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeadersInit | undefined,
      input: MessageInitShape<I>,
    ): Promise<UnaryResponse<I, O>> {
      const rule = ruleOf(method);
      const limits = [signal ?? [], AbortSignal.timeout(timeoutMs ?? defaultTimeoutMs)].flat();
      const json = encodeJson(method.input, create(method.input, input));
      const headers = new Headers({ ...options.headers?.(), ...Object.fromEntries(new Headers(header)) });
      const response = await send(method, rule, json, headers, AbortSignal.any(limits));
      const answer = response.status === 204 ? {} : ((await response.json()) as JsonObject);
      return {
        stream: false,
        service: method.parent,
        method,
        header: response.headers,
        trailer: new Headers(),
        message: readJson(method.output, rule.responseBody ? { [rule.responseBody.name]: answer } : answer),
      };
    },

    async stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      _timeoutMs: number | undefined,
      header: HeadersInit | undefined,
      input: AsyncIterable<MessageInitShape<I>>,
    ): Promise<StreamResponse<I, O>> {
      const rule = ruleOf(method);
      let json: JsonObject = {};
      for await (const message of input) json = encodeJson(method.input, create(method.input, message));
      const response = await send(method, rule, json, new Headers(header), signal);
      const read = (line: JsonObject) =>
        readJson(method.output, rule.responseBody ? { [rule.responseBody.name]: line } : line);
      return {
        stream: true,
        service: method.parent,
        method,
        header: response.headers,
        trailer: new Headers(),
        message: jsonLines(response, read, signal),
      };
    },
  };
}

/** Longer than any call takes, shorter than a person waits. */
const defaultTimeoutMs = 30_000;

/** A proxy's error page, or a host that serves the page's files alone, does not speak JSON. */
function isGateways({ status, headers }: Response): boolean {
  return status === 204 || /json/.test(headers.get("content-type") ?? "");
}

function ruleOf(method: DescMethod): RestRule {
  const [rule] = rulesOf(method);
  if (!rule) throw new Error(`${method.name} has no REST route`);
  return rule;
}
