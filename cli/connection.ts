import { randomUUID } from "node:crypto";
import {
  create,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type Message,
} from "@bufbuild/protobuf";
import { ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { GuardedSessions } from "../agent/transport.ts";
import type { Login } from "./settings.ts";

/** The API of one server, with the caller's key. */
export interface Connection extends Disposable {
  /** For typed clients. */
  transport: Transport;
  unary(method: DescMethod, message: Message): Promise<Message>;
  stream(method: DescMethod, message: Message, signal?: AbortSignal): AsyncIterable<Message>;
}

const unaryTimeoutMs = 60_000;
/** A page of 500 rows with their PEM chains. */
const readMaxBytes = 33_554_432;

export function connect({ url, ca, apiKey }: Login): Connection {
  const tls = ca === undefined ? {} : { ca };
  const sessionManager = new GuardedSessions(url, {}, { minVersion: "TLSv1.2", ...tls });
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "2",
    sessionManager,
    acceptCompression: [],
    readMaxBytes,
    interceptors: [nameErrors, bearer(apiKey)],
  });
  return {
    transport,
    async unary(method, message) {
      const { message: answer } = await transport.unary(
        method as DescMethodUnary,
        undefined,
        unaryTimeoutMs,
        undefined,
        message,
      );
      return answer;
    },
    async *stream(method, message, signal) {
      const asked = (async function* () {
        yield message;
      })();
      const answer = await transport.stream(
        method as DescMethodServerStreaming,
        signal,
        undefined,
        undefined,
        asked,
      );
      yield* answer.message;
    },
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}

function bearer(apiKey: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${apiKey}`);
    return next(request);
  };
}

/** Gives each call an id, by which the server's log knows it, and each error that id. */
const nameErrors: Interceptor = (next) => async (request) => {
  const requestId = randomUUID();
  request.header.set("x-request-id", requestId);
  try {
    return await next(request);
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    error.metadata.set("x-request-id", requestId);
    throw error;
  }
};

/** The message of a call that has no fields to fill. */
export function emptyRequest({ input }: DescMethod): Message {
  return create(input);
}
