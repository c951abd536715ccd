import { once } from "node:events";
import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { BaseLogger } from "pino";
import { type HttpRequest, type HttpResponse, rememberSocket } from "./http-message.ts";
import { StartupError } from "./startup-error.ts";

/** PEM throughout. */
export interface TlsIdentity {
  /** The leaf and its intermediates. */
  cert: string;
  key: string;
  /** Who may vouch for clients. A client without a certificate, or with another's, is served as well: see `peerCertificate`. */
  ca: string[];
}

export interface ListenerOptions {
  handler: (request: HttpRequest, response: HttpResponse) => void;
  tls: TlsIdentity;
  log: Pick<BaseLogger, "warn">;
  /** The environment variable that sets the port, for the error message. */
  portVariable: string;
  limits?: Partial<typeof defaultLimits>;
}

export interface Listener {
  /** Returns the port, which port 0 leaves to the system. */
  listen(port: number, host: string): Promise<number>;
  /** New connections get the new identity; open ones keep theirs. */
  setTls(identity: TlsIdentity): void;
  /** Accepts no more, tells clients to go, lets requests finish for `graceMs`, then cuts them. */
  close(options: { graceMs: number }): Promise<void>;
}

const defaultLimits = {
  handshakeTimeoutMs: 10_000,
  /** From the first byte of a request to the end of its headers; in HTTP/2 until the client's settings. */
  headersTimeoutMs: 15_000,
  /** To receive a whole HTTP/1.1 request. */
  requestTimeoutMs: 60_000,
  /** Longer than the 60 s of common load balancers, which would otherwise race with our closing. */
  keepAliveTimeoutMs: 75_000,
  /** An HTTP/2 connection without any frame, pings included. */
  idleTimeoutMs: 600_000,
  /** How often the limits of HTTP/1.1 are looked at. */
  checkIntervalMs: 1_000,
};

const maxHeaderBytes = 16 * 1024;

/**
 * HTTP/1.1 and HTTP/2 over TLS on one port: a TLS server hands each connection, by its ALPN, to one of two servers that never
 * listen themselves. Node's own `allowHTTP1` holds the limits of HTTP/1.1 only from Node 24 on.
 */
export function createListener({ handler, tls, log, portVariable, limits }: ListenerOptions): Listener {
  const limit = { ...defaultLimits, ...limits };
  const connections = new Set<Socket>();
  const sessions = new Map<ServerHttp2Session, TLSSocket>();
  let isClosing = false;

  const http1 = createHttp1Server({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limit.headersTimeoutMs,
    requestTimeout: limit.requestTimeoutMs,
    keepAliveTimeout: limit.keepAliveTimeoutMs,
    connectionsCheckingInterval: limit.checkIntervalMs,
  });
  http1.on("request", (request: IncomingMessage, response: ServerResponse) => {
    rememberSocket(request, request.socket as TLSSocket);
    response.once("close", () => {
      if (isClosing) setImmediate(() => http1.closeIdleConnections());
    });
    handler(request, response);
  });
  // The checks of its timeouts begin with this event.
  http1.emit("listening");

  const http2 = createHttp2Server({
    settings: { maxConcurrentStreams: 1000, maxHeaderListSize: maxHeaderBytes, initialWindowSize: 1 << 20 },
    maxSessionMemory: 32,
    streamResetBurst: 200,
    streamResetRate: 33,
  });
  http2.on("request", (request, response) => {
    const session = request.stream.session;
    const socket = session && sessions.get(session as ServerHttp2Session);
    if (socket === undefined) return;
    rememberSocket(request, socket);
    handler(request, response);
  });

  function acceptHttp2(socket: TLSSocket): void {
    http2.once("session", (session) => {
      sessions.set(session, socket);
      const prefaceTimer = setTimeout(() => session.destroy(), limit.headersTimeoutMs);
      session.once("remoteSettings", () => clearTimeout(prefaceTimer));
      session.once("close", () => {
        clearTimeout(prefaceTimer);
        sessions.delete(session);
      });
      session.on("error", () => {});
      session.setTimeout(limit.idleTimeoutMs, () => (session.closed ? session.destroy() : session.close()));
    });
    http2.emit("connection", socket);
  }

  const server = createTlsServer({
    ...secureContext(tls),
    ALPNProtocols: ["h2", "http/1.1"],
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: limit.handshakeTimeoutMs,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
  });
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  // A bare TLS server leaves a failed or overdue handshake open.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("secureConnection", (socket) => {
    socket.on("error", () => socket.destroy());
    if (isClosing) socket.destroy();
    else if (socket.alpnProtocol === "h2") acceptHttp2(socket);
    else http1.emit("connection", socket);
  });

  return {
    async listen(port, host) {
      server.listen({ port, host, backlog: 4096 });
      try {
        await once(server, "listening");
      } catch (cause) {
        throw explained(cause as NodeJS.ErrnoException, { port, host, portVariable });
      }
      // No file descriptor left for a new connection, for one, is no reason to end.
      server.on("error", (error) => log.warn({ err: error }, "the listener could not accept a connection"));
      return (server.address() as AddressInfo).port;
    },
    setTls(identity) {
      server.setSecureContext(secureContext(identity));
    },
    async close({ graceMs }) {
      isClosing = true;
      const closed = once(server, "close");
      server.close();
      for (const session of sessions.keys()) session.close();
      http1.closeIdleConnections();
      const cut = setTimeout(() => {
        for (const socket of connections) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(cut);
      http1.close();
    },
  };
}

function secureContext({ cert, key, ca }: TlsIdentity) {
  return { cert, key, ca, minVersion: "TLSv1.2" as const };
}

function explained(
  error: NodeJS.ErrnoException,
  { port, host, portVariable }: { port: number; host: string; portVariable: string },
): Error {
  const mend = `set ${portVariable} to another`;
  if (error.code === "EADDRINUSE")
    return new StartupError(`port ${port} is taken; ${mend}`, { cause: error });
  if (error.code === "EACCES") {
    return new StartupError(`port ${port} may not be opened by this user; ${mend}`, { cause: error });
  }
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND") {
    return new StartupError(`${host} is no address of this machine`, { cause: error });
  }
  return error;
}
