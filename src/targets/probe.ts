import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { addAbortSignal } from "node:stream";
import { connect } from "node:tls";
import { askForTls, type Protocol } from "./starttls.ts";

/** What a server showed in one handshake. */
export interface Served {
  leaf: X509Certificate;
  /** Of the leaf's DER, lower-case hexadecimal. */
  fingerprintSha256: string;
  /** Why the served chain does not build to the root; null when it does, or when no root was given. */
  chainProblem: string | null;
}

/** `127.0.0.1:443`, `[::1]:443` or `host.example:443`. */
export const endpointPattern = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):[0-9]{1,5}$/;

/** A fresh TLS handshake, without resumption. Rejects when there is no server, no TLS or no certificate. */
export async function probe(
  endpoint: string,
  options: { serverName: string | null; rootPem: string | null; signal: AbortSignal; protocol?: Protocol },
): Promise<Served> {
  const { serverName, rootPem, signal, protocol = "tls" } = options;
  signal.throwIfAborted();
  const url = new URL(`tls://${endpoint}`);
  const place = { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) };
  const socket = connect({
    ...(protocol === "tls" ? place : { socket: await connectAndAsk(place, protocol, signal) }),
    // An empty name sends none; a missing one would send the host's.
    servername: serverName ?? "",
    // The handshake always ends, so that what is served can be seen; the chain's problem is told separately.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(rootPem === null ? {} : { ca: rootPem }),
  });
  addAbortSignal(signal, socket);
  try {
    await once(socket, "secureConnect");
    const leaf = socket.getPeerX509Certificate();
    if (!leaf) throw new Error("no certificate is served");
    return {
      leaf,
      fingerprintSha256: fingerprintOf(leaf),
      chainProblem: rootPem === null || socket.authorized ? null : String(socket.authorizationError),
    };
  } finally {
    // Says farewell, so that the server logs no broken handshake; nobody waits for how it takes that.
    socket.on("error", () => {}).destroySoon();
  }
}

async function connectAndAsk(
  place: { host: string; port: number },
  protocol: Exclude<Protocol, "tls">,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connectPlain(place);
  addAbortSignal(signal, socket);
  try {
    await once(socket, "connect");
    await askForTls(socket, protocol);
    return socket;
  } catch (error) {
    socket.on("error", () => {}).destroy();
    throw error;
  }
}

export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}
