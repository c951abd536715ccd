import type { DescMethod } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createMethodImplSpec,
  createServiceImplSpec,
  type Interceptor,
  type MethodImplSpec,
} from "@connectrpc/connect";
import { unavailable } from "../platform/errors.ts";
import { requestIdKey } from "../platform/request.ts";
import { type Answer, errorAnswer, StatusError, send } from "./answer.ts";
import { type Binding, bindingsOf } from "./binding.ts";
import type { Exchange, NodeRequest, NodeResponse } from "./node.ts";
import { PathRouter } from "./path-router.ts";
import { type CallOptions, perform } from "./perform.ts";

export interface RestGatewayOptions extends CallOptions {
  /** Registers every service: the same function that connectNodeAdapter gets. */
  routes: (router: ConnectRouter) => void;
  /** The same instances as Connect's; each runs once per call. */
  interceptors: Interceptor[];
  /** The values of a call; sets requestIdKey. */
  contextValues: (request: NodeRequest) => ContextValues;
  /** Told of every error that the caller sees as a 5xx. */
  onError: (error: unknown, method: DescMethod | undefined, requestId: string) => void;
}

/** Serves the paths below /api/v1/. False: another path, whose response is untouched. */
export type RestGateway = (request: NodeRequest, response: NodeResponse) => boolean;

/** Throws for an http rule that cannot be served. */
export function createRestGateway(options: RestGatewayOptions): RestGateway {
  const router = new PathRouter<Binding>();
  for (const binding of bindAll(options)) router.add(binding.verb, binding.path, binding);
  return (request, response) => {
    const [, path = "", search = ""] = /^([^?]*)\??(.*)$/s.exec(request.url ?? "") ?? [];
    if (!path.startsWith("/api/v1/")) return false;
    void serve({ request, response }, { router, path, search, options });
    return true;
  };
}

/** Registers the services as connectNodeAdapter does, but keeps the implementations instead of building handlers. */
function bindAll({ routes, interceptors }: RestGatewayOptions): Binding[] {
  const bindings: Binding[] = [];
  const bind = (spec: MethodImplSpec, own = interceptors) => bindings.push(...bindingsOf(spec, own));
  const router: ConnectRouter = {
    handlers: [],
    service(service, implementation, own) {
      const { methods } = createServiceImplSpec(service, implementation);
      for (const spec of Object.values(methods)) bind(spec, own?.interceptors);
      return router;
    },
    rpc(method, implementation, own) {
      bind(createMethodImplSpec(method, implementation), own?.interceptors);
      return router;
    },
  };
  routes(router);
  return bindings;
}

interface Target {
  readonly router: PathRouter<Binding>;
  readonly path: string;
  readonly search: string;
  readonly options: RestGatewayOptions;
}

/** The reason of signals; made once, because making it costs a stack trace. */
const clientGone = new ConnectError("the client has left", Code.Canceled);

/** Answers one request. Never throws. */
async function serve(exchange: Exchange, { router, path, search, options }: Target): Promise<void> {
  const { request, response } = exchange;
  const gone = new AbortController();
  response.once("close", () => gone.abort(clientGone));
  let requestId = "";
  let binding: Binding | undefined;
  const explain = (error: unknown): Answer => {
    const cause = isShutdown(error, options.shutdownSignal)
      ? unavailable("the server is shutting down")
      : error;
    const answer = errorAnswer(cause, requestId, binding?.body);
    if (answer.status >= 500) options.onError(cause, binding?.spec.method, requestId);
    return answer;
  };
  try {
    const values = options.contextValues(request);
    requestId = values.get(requestIdKey);
    response.appendHeader("x-request-id", requestId);
    const route = router.find(request.method ?? "", path);
    if (route.kind === "unknown") throw new ConnectError(`${path} does not exist`, Code.NotFound);
    if (route.kind === "other_verbs") throw otherVerb(request, route.allow);
    binding = route.value;
    const { variables } = route;
    await perform({
      binding,
      exchange,
      path,
      search,
      variables,
      values,
      gone: gone.signal,
      explain,
      options,
    });
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) response.destroy();
    else send(exchange, explain(error));
  }
}

function otherVerb({ method }: NodeRequest, allow: string[]): StatusError {
  return new StatusError(405, Code.Unimplemented, `${method} is not allowed here`, {
    allow: allow.join(", "),
  });
}

/** Whether the error only says that the shutdown signal has cut off a wait. */
function isShutdown(error: unknown, signal: AbortSignal): boolean {
  return (
    signal.aborted && (error === signal.reason || (error instanceof Error && error.name === "AbortError"))
  );
}
