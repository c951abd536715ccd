import type { DescMethod } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { Code, ConnectError, type ContextValues, type Interceptor } from "@connectrpc/connect";
import type { Actor } from "../audit/record.ts";
import { unauthenticated } from "../platform/errors.ts";
import type { Log } from "../platform/log.ts";
import { requestIdKey } from "../platform/request.ts";
import { accessOf, authorize } from "./access.ts";
import type { Authenticate } from "./authenticate.ts";
import { type AgentPrincipal, actorOf, certificateKey, principalKey } from "./principal.ts";

/** Authenticates a call and lets it pass only if its method allows the caller. */
export type AdmitCall = (
  method: DescMethod,
  authorization: string | null,
  values: ContextValues,
) => Promise<void>;

export function createAdmitCall(authenticate: Authenticate): AdmitCall {
  return async (method, authorization, values) => {
    if (accessOf(method).who === "public") return;
    const principal =
      values.get(principalKey) ??
      (await authenticate({ authorization, certificate: values.get(certificateKey) }));
    values.set(principalKey, principal);
    authorize(principal, method);
  };
}

/** Runs for RPC and REST alike, before anything else sees the request. */
export function createAccessInterceptor(admit: AdmitCall): Interceptor {
  return (next) => async (request) => {
    await admit(request.method, request.header.get("authorization"), request.contextValues);
    return next(request);
  };
}

/** Hides what went wrong inside from the caller, and logs it with the request id that the caller was given. */
export function createErrorInterceptor(log: Log): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      if (error instanceof ConnectError || request.signal.aborted) throw error;
      const requestId = request.contextValues.get(requestIdKey);
      log.error({ err: error, requestId, method: request.method.name }, "a call failed");
      throw new ConnectError(`internal error (request ${requestId})`, Code.Internal);
    }
  };
}

/** The agent that calls. */
export function agentOf(context: HandlerContext): AgentPrincipal {
  const principal = context.values.get(principalKey);
  if (principal?.kind !== "agent") throw unauthenticated("an agent's credential is needed");
  return principal;
}

/** Who acts in this call, for the audit, and on what. */
export function callerOf(context: HandlerContext): Actor {
  const principal = context.values.get(principalKey);
  if (!principal) throw unauthenticated("a credential is needed");
  return actorOf(principal, context.values.get(requestIdKey));
}
