import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";

/** The connection to the control plane: one for the stream and all calls beside it. */
export interface Link extends AsyncDisposable {
  transport: Transport;
  /** Drops the connection, for one that hangs. */
  abort(): void;
}

const pings = { pingIntervalMs: 30_000, pingTimeoutMs: 10_000 };

/** A session whose connection breaks while nobody listens would end the process. */
export class GuardedSessions extends Http2SessionManager {
  readonly #guarded = new WeakSet<object>();

  override async request(...args: Parameters<Http2SessionManager["request"]>) {
    const stream = await super.request(...args);
    const { session } = stream;
    if (session && !this.#guarded.has(session)) {
      this.#guarded.add(session);
      session.on("error", () => {});
    }
    return stream;
  }
}

/** Connects to a control plane that one of the roots vouches for, with a client certificate or an API key. */
export function openTransport(options: {
  server: URL;
  rootsPem: readonly string[];
  certificate?: { certificatePem: string; keyPem: string };
  apiKey?: string;
}): Link {
  const { server, rootsPem, certificate, apiKey } = options;
  const tls = certificate ? { cert: certificate.certificatePem, key: certificate.keyPem } : {};
  const sessionManager = new GuardedSessions(server.origin, pings, {
    ca: [...rootsPem],
    minVersion: "TLSv1.2",
    ...tls,
  });
  const bearer: Interceptor = (next) => (request) => {
    if (apiKey !== undefined) request.header.set("authorization", `Bearer ${apiKey}`);
    return next(request);
  };
  const transport = createConnectTransport({
    baseUrl: server.origin,
    httpVersion: "2",
    sessionManager,
    acceptCompression: [],
    readMaxBytes: 1_048_576,
    interceptors: [bearer],
  });
  return {
    transport,
    abort: () => sessionManager.abort(),
    async [Symbol.asyncDispose]() {
      sessionManager.abort();
    },
  };
}
