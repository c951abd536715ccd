import type { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { TLSSocket } from "node:tls";

/** A request of HTTP/1.1 or HTTP/2. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

const sockets = new WeakMap<HttpRequest, TLSSocket>();
const certificates = new WeakMap<TLSSocket, { certificate: X509Certificate | undefined }>();

export function rememberSocket(request: HttpRequest, socket: TLSSocket): void {
  sockets.set(request, socket);
}

/** The connection that a request came by: the socket itself, where HTTP/2 shows a stand-in. All requests on it share it. */
export function socketOf(request: HttpRequest): TLSSocket {
  const socket = sockets.get(request);
  if (socket === undefined) throw new Error("the request did not come by the listener");
  return socket;
}

/**
 * The client's certificate when it proved its key and its chain leads to the listener's `ca`. Parsed once a connection.
 * Validity is of the moment of the handshake: who relies on it checks the dates again.
 */
export function peerCertificate(request: HttpRequest): X509Certificate | undefined {
  const socket = socketOf(request);
  let known = certificates.get(socket);
  if (known === undefined) {
    known = { certificate: socket.authorized ? socket.getPeerX509Certificate() : undefined };
    certificates.set(socket, known);
  }
  return known.certificate;
}
