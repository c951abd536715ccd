import type { DescMethod } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextKey,
  type Interceptor,
} from "@connectrpc/connect";
import type { Actor } from "../audit/record.ts";
import { denied, unauthenticated } from "../platform/errors.ts";
import type { Log } from "../platform/log.ts";
import { requestIdKey } from "../platform/request.ts";
import { accessOf, authorize, holds } from "./access.ts";
import type { Authenticate } from "./authenticate.ts";
import { browserKey, sessionOf } from "./browser.ts";
import { callerKey } from "./caller.ts";
import {
  type AgentPrincipal,
  actorOf,
  anonymousAdmin,
  certificateKey,
  type Principal,
  principalKey,
} from "./principal.ts";
import type { Throttle } from "./throttle.ts";

/** Throws Unauthenticated once the key or session that a call came with has ended. */
export const recheckKey = createContextKey<() => Promise<unknown>>(async () => null, {
  description: "recheck",
});

/** Authenticates a call and lets it pass only if its method allows the caller. */
export type AdmitCall = (
  method: DescMethod,
  authorization: string | null,
  values: ContextValues,
) => Promise<void>;

export function createAdmitCall(options: {
  authenticate: Authenticate;
  throttle: Throttle;
  /** Whether programs on this machine may do everything without a credential. */
  isKeyless: boolean;
}): AdmitCall {
  const { authenticate, throttle, isKeyless } = options;

  async function identify(
    method: DescMethod,
    authorization: string | null,
    values: ContextValues,
  ): Promise<Principal | null> {
    const { address, notLocal } = values.get(callerKey);
    if (authorization !== null) throttle.requireCalm(address, authorization);
    // Where no key is asked for, a cookie that has ended must not keep anybody out.
    const session = isKeyless || authorization !== null ? null : sessionOf(values.get(browserKey), method);
    try {
      const certificate = values.get(certificateKey);
      const principal = await authenticate({ authorization, session, certificate });
      if (authorization !== null) throttle.countSuccess(authorization);
      if (authorization !== null || session) {
        const unused = session && { ...session, isUse: false };
        values.set(recheckKey, () => authenticate({ authorization, session: unused, certificate: null }));
      }
      if (principal || !isKeyless) return principal;
    } catch (error) {
      if (authorization !== null && isUnauthenticated(error)) throttle.countFailure(address);
      throw error;
    }
    if (notLocal !== null) throw denied(`this call needs a credential: ${notLocal}`);
    return anonymousAdmin;
  }

  return async (method, authorization, values) => {
    if (accessOf(method).who === "public") return;
    let principal = values.get(principalKey);
    if (!principal) {
      principal = await identify(method, authorization, values);
      values.set(principalKey, principal);
      if (principal) throttle.countCall(principal.id);
    }
    authorize(principal, method);
  };
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}

/** Runs for RPC and REST alike, before anything else sees the request. */
export function createAccessInterceptor(deps: {
  admit: AdmitCall;
  throttle: Throttle;
  clock: () => Date;
}): Interceptor {
  const { admit, throttle, clock } = deps;
  return (next) => async (request) => {
    const authorization = request.header.get("authorization");
    await admit(request.method, authorization, request.contextValues);
    const { who } = accessOf(request.method);
    if (who !== "public") {
      const response = await next(request);
      // An agent's stream is told of its end by what ends it; an operator's may be without end, too.
      if (who === "agent" || !response.stream) return response;
      const recheck = request.contextValues.get(recheckKey);
      return { ...response, message: whileInForce(response.message, recheck, clock) };
    }
    // What a public call carries, such as a join token, can be guessed at like a key.
    const { address } = request.contextValues.get(callerKey);
    throttle.requireCalm(address, null);
    try {
      return await next(request);
    } catch (error) {
      if (isUnauthenticated(error)) throttle.countFailure(address);
      throw error;
    }
  };
}

/** How long a stream goes on after its key has ended. */
const recheckAfterMs = 1_000;

/** Lets messages through as long as the caller's key is in force. */
async function* whileInForce<Message>(
  messages: AsyncIterable<Message>,
  recheck: () => Promise<unknown>,
  clock: () => Date,
): AsyncGenerator<Message> {
  let checkedAt = clock().getTime();
  for await (const message of messages) {
    const now = clock().getTime();
    if (Math.abs(now - checkedAt) >= recheckAfterMs) {
      await recheck();
      checkedAt = now;
    }
    yield message;
  }
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

/** Whether the caller has a permission beside the one that the call itself asks for. */
export function mayUse(context: HandlerContext, permission: string): boolean {
  const principal = context.values.get(principalKey);
  return principal !== null && holds(principal, permission);
}
