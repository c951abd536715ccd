import { isIP } from "node:net";
import type { Authorities } from "./authorities/authority.ts";
import { authorityPem } from "./authorities/authority.ts";
import { makeServerCertificate } from "./authorities/server-certificate.ts";
import type { Config } from "./config.ts";
import type { Clock } from "./platform/clock.ts";
import type { HttpRequest, HttpResponse } from "./platform/http-message.ts";
import { createListener } from "./platform/listener.ts";
import type { Log } from "./platform/log.ts";
import { isLoopback, parseSan } from "./x509/names.ts";

/** The listener with a certificate of certctl's own, which it replaces while it runs. */
export interface SecureListener {
  port: number;
  /** Reaches it from this machine. */
  url: string;
  /** Replaces the certificate if it is due. */
  refresh(): void;
  /** Stops accepting; calls `end` when what is still open has had half of the grace to finish by itself. */
  close(graceMs: number, end: () => void): Promise<void>;
}

const refreshEveryMs = 600_000;
const loopbackNames = ["localhost", "127.0.0.1", "::1"];
/** Time to send the last answers when there is no grace. */
const leastGraceMs = 500;

type Address = Pick<Config, "listenAddress" | "serverUrl">;

/** The names that the control plane's certificate carries: where others reach it, and this machine. */
export function serverNames({ listenAddress, serverUrl }: Address): string[] {
  const host = serverUrl.hostname.replace(/^\[(.*)\]$/, "$1");
  const own = isWildcard(listenAddress) ? [] : [listenAddress];
  return [...new Set([host, ...loopbackNames, ...own].map((name) => parseSan(name).value))];
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

export async function startSecureListener(options: {
  config: Pick<Config, "port" | "listenAddress" | "serverUrl">;
  authorities: Authorities;
  clock: Clock;
  log: Log;
  handler: (request: HttpRequest, response: HttpResponse) => void;
}): Promise<SecureListener> {
  const { config, authorities, clock, log, handler } = options;
  const names = serverNames(config);
  const ca = [authorityPem(authorities.byRole["system-root"])];
  const make = () => makeServerCertificate(authorities.byRole["server-ca"], names, clock());
  let current = make();
  const listener = createListener({ handler, tls: { ...current, ca }, log, portVariable: "CERTCTL_PORT" });

  function refresh(): void {
    if (clock() < current.renewAt) return;
    current = make();
    listener.setTls({ ...current, ca });
    log.info("replaced the server's certificate");
  }

  const port = await listener.listen(config.port, config.listenAddress);
  const timer = setInterval(refresh, refreshEveryMs);
  const isLocal = isWildcard(config.listenAddress) || isLoopback(config.listenAddress);
  const at = isLocal ? "localhost" : config.listenAddress;
  return {
    port,
    url: `https://${isIP(at) === 6 ? `[${at}]` : at}:${port}`,
    refresh,
    async close(graceMs, end) {
      clearInterval(timer);
      const ending = setTimeout(end, graceMs / 2);
      await listener.close({ graceMs: Math.max(graceMs, leastGraceMs) });
      clearTimeout(ending);
      end();
    },
  };
}
