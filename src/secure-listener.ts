import type { Authorities } from "./authorities/authority.ts";
import { authorityPem } from "./authorities/authority.ts";
import { makeServerCertificate } from "./authorities/server-certificate.ts";
import type { Config } from "./config.ts";
import type { Clock } from "./platform/clock.ts";
import type { HttpRequest, HttpResponse } from "./platform/http-message.ts";
import { createListener } from "./platform/listener.ts";
import type { Log } from "./platform/log.ts";

/** The listener with a certificate of certctl's own, which it replaces while it runs. */
export interface SecureListener {
  port: number;
  /** Replaces the certificate if it is due. */
  refresh(): void;
  /** Stops accepting; calls `end` when what is still open has had half of the grace to finish by itself. */
  close(graceMs: number, end: () => void): Promise<void>;
}

const refreshEveryMs = 600_000;
const loopbackNames = ["localhost", "127.0.0.1", "::1"];
/** Time to send the last answers when there is no grace. */
const leastGraceMs = 500;

export async function startSecureListener(options: {
  config: Pick<Config, "port" | "listenAddress" | "serverUrl">;
  authorities: Authorities;
  clock: Clock;
  log: Log;
  handler: (request: HttpRequest, response: HttpResponse) => void;
}): Promise<SecureListener> {
  const { config, authorities, clock, log, handler } = options;
  const host = config.serverUrl.hostname.replace(/^\[(.*)\]$/, "$1");
  const names = [...new Set([host, ...loopbackNames])];
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
  return {
    port,
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
