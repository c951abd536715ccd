import { once } from "node:events";
import { readFileSync, realpathSync, watch } from "node:fs";
import { join } from "node:path";
import { createServer } from "node:tls";
import { makeSite } from "./site.ts";

/** A TLS server that sees by itself when `<site>/current` changes. */
export interface WatchingServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  endpoint: string;
  site: string;
}

export async function startWatchingServer({ directory }: { directory: string }): Promise<WatchingServer> {
  const site = join(directory, "site");
  await makeSite(site);
  const read = () => {
    const version = realpathSync(join(site, "current"));
    return {
      cert: readFileSync(join(version, "fullchain.pem")),
      key: readFileSync(join(version, "privkey.pem")),
    };
  };
  const server = createServer(read(), (socket) => socket.on("error", () => {}).end());
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const watcher = watch(site, (_event, file) => {
    if (file === "current") server.setSecureContext(read());
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    endpoint: `127.0.0.1:${address.port}`,
    site,
    [Symbol.asyncDispose]: async () => {
      watcher.close();
      server.close();
      await once(server, "close");
    },
  };
}
