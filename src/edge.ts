import { type ConnectRouter, createContextValues, type Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createValidateInterceptor } from "@connectrpc/validate";
import { comments, services as contract } from "#gen/contract.ts";
import { createAuthenticate } from "./auth/authenticate.ts";
import { browserKey, browserOf } from "./auth/browser.ts";
import { callerKey, callerOfRequest } from "./auth/caller.ts";
import { createAccessInterceptor, createAdmitCall, createErrorInterceptor } from "./auth/interceptor.ts";
import { certificateKey } from "./auth/principal.ts";
import { createThrottle } from "./auth/throttle.ts";
import type { Authorities } from "./authorities/authority.ts";
import type { Config } from "./config.ts";
import type { Dashboard } from "./dashboard/serve.ts";
import type { Clock } from "./platform/clock.ts";
import type { Database } from "./platform/database.ts";
import { type Health, notFoundPage } from "./platform/health.ts";
import { requestId, securityHeaders } from "./platform/http-headers.ts";
import { type HttpRequest, type HttpResponse, peerCertificate } from "./platform/http-message.ts";
import { createHostCheck } from "./platform/known-hosts.ts";
import type { Log } from "./platform/log.ts";
import { requestIdKey } from "./platform/request.ts";
import { createTextInterceptor } from "./platform/text.ts";
import { createRestGateway } from "./rest/gateway.ts";
import { openApiDocument } from "./rest/openapi/document.ts";
import { createReference } from "./rest/openapi/reference.ts";
import { serverNames } from "./secure-listener.ts";

const readMaxBytes = 1_048_576;

/** What every request goes through, whichever way it comes: who calls, and what answers. */
export function createEdge(options: {
  db: Database;
  config: Config;
  authorities: Authorities;
  health: Health;
  dashboard: Dashboard;
  routes: (router: ConnectRouter) => void;
  clock: Clock;
  log: Log;
  /** Ends the streams that are open. */
  shutdownSignal: AbortSignal;
}): (request: HttpRequest, response: HttpResponse) => void {
  const { db, config, authorities, health, dashboard, routes, clock, log, shutdownSignal } = options;
  const agentCa = authorities.byRole["agent-ca"];
  const authenticate = createAuthenticate({ db, agentCa, agentAuth: config.agentAuth, clock });
  const throttle = createThrottle(config.throttle, clock);
  const isKeyless = config.authType === "none";
  if (isKeyless)
    log.warn("CERTCTL_AUTH_TYPE is none: every program on this machine may do everything without a key");
  const admit = createAdmitCall({ authenticate, throttle, isKeyless });
  const interceptors: Interceptor[] = [
    createErrorInterceptor(log),
    createAccessInterceptor({ admit, throttle, clock }),
    createTextInterceptor(),
    createValidateInterceptor(),
  ];
  const call = { routes, interceptors, readMaxBytes, shutdownSignal };
  const contextValues = (request: HttpRequest) =>
    createContextValues()
      .set(requestIdKey, requestId(request))
      .set(callerKey, callerOfRequest(request))
      .set(browserKey, browserOf(request))
      .set(certificateKey, peerCertificate(request) ?? null);
  const rest = createRestGateway({
    ...call,
    contextValues: (request) => contextValues(request as HttpRequest),
    before: (request, method, values) => admit(method, request.headers.authorization ?? null, values),
    onError: (error, method, id) =>
      log.error({ err: error, method: method?.name, requestId: id }, "a REST call failed"),
  });
  const rpc = connectNodeAdapter({ ...call, acceptCompression: [], contextValues, fallback: notFoundPage });
  const isMisdirected = createHostCheck(serverNames(config));
  const reference = createReference(openApiDocument(contract, comments));

  return (request, response) => {
    securityHeaders(response);
    // Before the names: a load balancer asks for its health by address.
    if (health.answer(request, response) || isMisdirected(request, response)) return;
    if (reference(request, response) || rest(request, response) || dashboard(request, response)) return;
    rpc(request as Parameters<typeof rpc>[0], response as Parameters<typeof rpc>[1]);
  };
}
