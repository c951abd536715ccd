import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { cidrList, reachOf } from "./address.ts";

/** A connection that certctl does not make. The message says what has to change, and holds no secret. */
export class EgressError extends Error {}

export interface Destination {
  /** A name or an IP address, without brackets. */
  host: string;
  port: number;
}

export interface TlsOptions {
  /** PEM. What the host's certificate is verified by, for its name; the well-known roots when left out. */
  ca?: string;
  /** What this side shows of itself, where it is asked to. */
  client?: ClientCertificate;
  /** Whoever answers is let to: only for what proves itself by a pin, and never for what is secret. */
  isUnverified?: boolean;
  signal: AbortSignal;
}

/** PEM: the certificate with what signed it, and its key. */
export interface ClientCertificate {
  cert: string;
  key: string;
}

/**
 * The only way out of the control plane for connectors. What counts is the address that a connection goes to, not the name
 * that was checked before: names may change their address in between.
 */
export interface Egress {
  /** Why an IP address may not be reached, or null. A name says nothing: what counts is what it leads to then. */
  refuses(address: string): string | null;
  /** A TCP connection. Throws EgressError for an address that may not be reached, and what the network says otherwise. */
  connect(destination: Destination, signal: AbortSignal): Promise<Socket>;
  /** The same with TLS on top. */
  connectTls(destination: Destination, options: TlsOptions): Promise<Socket>;
}

/** How long one of several addresses may take before the next one is tried. */
const turnMs = 3_000;

/** Loopback and private addresses are reached only if they lie in one of the CIDRs. Throws CidrError. */
export function createEgress(allow: readonly string[]): Egress {
  const allowed = cidrList(allow);

  function refusal(address: string, host: string): EgressError | null {
    const reach = reachOf(address, allowed);
    if (reach === "open") return null;
    const where = host === address ? address : `${host} (${address})`;
    return new EgressError(
      reach === "never"
        ? `${where} is a link-local, metadata or unspecified address; certctl never connects there`
        : `${where} is an internal address; list it in CERTCTL_EGRESS_ALLOW to let certctl connect there`,
    );
  }

  async function connect({ host, port }: Destination, signal: AbortSignal): Promise<Socket> {
    const addresses = await resolve(host, signal);
    let failure: unknown = new EgressError(`${host} has no address`);
    for (const address of addresses) {
      const refused = refusal(address, host);
      if (refused) {
        failure = refused;
        continue;
      }
      const turn =
        address === addresses.at(-1) ? signal : AbortSignal.any([signal, AbortSignal.timeout(turnMs)]);
      try {
        return await open(connectTcp({ host: address, port, noDelay: true }), "connect", turn);
      } catch (error) {
        if (signal.aborted) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  return {
    refuses: (address) => (isIP(address) === 0 ? null : (refusal(address, address)?.message ?? null)),
    connect,
    async connectTls({ host, port }, { ca, client, isUnverified = false, signal }) {
      const socket = await connect({ host, port }, signal);
      const secure = connectTls({
        socket,
        host,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(ca === undefined ? {} : { ca }),
        ...client,
        rejectUnauthorized: !isUnverified,
        minVersion: "TLSv1.2",
        ALPNProtocols: ["http/1.1"],
      });
      return open(secure, "secureConnect", signal);
    },
  };
}

async function resolve(host: string, signal: AbortSignal): Promise<string[]> {
  signal.throwIfAborted();
  if (isIP(host) !== 0) return [host];
  const done = new AbortController();
  // The system's resolver cannot be stopped; its answer is not waited for.
  const aborted = once(signal, "abort", { signal: done.signal }).then(() => Promise.reject(signal.reason));
  try {
    const found = await Promise.race([lookup(host, { all: true, verbatim: true }), aborted]);
    return found.map(({ address }) => address);
  } finally {
    done.abort();
  }
}

/** Waits until a socket is usable; destroys it when it fails or the signal fires. */
async function open<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  // An error after this is also the end of the stream, which whoever uses the socket sees.
  socket.on("error", () => {});
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? signal.reason : error;
  }
}
