import { create, type DescMessage, isMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor, StreamResponse, UnaryResponse } from "@connectrpc/connect";
import type { Binding, RestSpec } from "./binding.ts";

type Next = ReturnType<Interceptor>;
type Spec<Kind> = Extract<RestSpec, { kind: Kind }>;

/**
 * Runs a call as Connect's own handlers do between decoding and encoding: the interceptors, the first of them outermost,
 * around the implementation. Messages go in and out as they are.
 */
export async function call(
  { spec, interceptors }: Binding,
  context: HandlerContext,
  message: Message,
): Promise<UnaryResponse | StreamResponse> {
  const { method } = spec;
  const run: Next = spec.kind === "unary" ? runUnary(spec, context) : runStream(spec, context);
  const next = interceptors.reduceRight((inner, intercept) => intercept(inner), run);
  const common = {
    service: method.parent,
    requestMethod: context.requestMethod,
    url: context.url,
    signal: context.signal,
    header: context.requestHeader,
    contextValues: context.values,
  };
  if (spec.kind === "unary") return next({ ...common, stream: false, method: spec.method, message });
  return next({ ...common, stream: true, method: spec.method, message: once(message) });
}

function runUnary(spec: Spec<"unary">, context: HandlerContext): Next {
  return async (request) => {
    const message = request.stream ? await only(request.message) : request.message;
    const answer = await spec.impl(message, contextOf(context, request));
    return {
      stream: false,
      service: spec.method.parent,
      method: spec.method,
      header: context.responseHeader,
      trailer: context.responseTrailer,
      message: normalize(spec.method.output, answer),
    };
  };
}

function runStream(spec: Spec<"server_streaming">, context: HandlerContext): Next {
  return async (request) => {
    const message = request.stream ? await only(request.message) : request.message;
    const answers = spec.impl(message, contextOf(context, request));
    return {
      stream: true,
      service: spec.method.parent,
      method: spec.method,
      header: context.responseHeader,
      trailer: context.responseTrailer,
      message: normalizeAll(spec.method.output, answers),
    };
  };
}

/** The implementation sees what the interceptors made of the request. */
function contextOf(context: HandlerContext, request: Parameters<Next>[0]): HandlerContext {
  return {
    ...context,
    requestHeader: request.header,
    signal: request.signal,
    values: request.contextValues,
  };
}

/** Implementations may answer with a plain object. */
function normalize(desc: DescMessage, message: MessageInitShape<DescMessage>): Message {
  return isMessage(message, desc) ? message : create(desc, message);
}

async function* normalizeAll(
  desc: DescMessage,
  messages: AsyncIterable<MessageInitShape<DescMessage>>,
): AsyncGenerator<Message> {
  for await (const message of messages) yield normalize(desc, message);
}

async function* once(message: Message): AsyncGenerator<Message> {
  yield message;
}

async function only(messages: AsyncIterable<Message>): Promise<Message> {
  for await (const message of messages) return message;
  throw new Error("an interceptor swallowed the request");
}
