import { once } from "node:events";
import { readFileSync, realpathSync, watch } from "node:fs";
import { join } from "node:path";
import { createServer } from "node:tls";
import type { Layout } from "../src/targets/layout.ts";
import { makeSite } from "./site.ts";

/** A TLS server that sees by itself when `<site>/current` changes. */
export interface WatchingServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  endpoint: string;
  site: string;
}

/** How a server learns of its certificate. */
export interface Watching {
  layout?: Layout;
  /** Finds the pair. */
  find(site: string): { certificate: string; key: string };
  /** Whether it looks again when this name is moved to, or away from, in the site. */
  isSeen(name: string): boolean;
}

/** Reads the files of `current` when that is switched. */
const plain: Watching = {
  find: (site) => {
    const version = realpathSync(join(site, "current"));
    return { certificate: join(version, "fullchain.pem"), key: join(version, "privkey.pem") };
  },
  isSeen: (name) => name === "current",
};

export async function startWatchingServer(
  { directory }: { directory: string },
  { layout, find, isSeen }: Watching = plain,
): Promise<WatchingServer> {
  const site = join(directory, "site");
  await makeSite(site, layout);
  const read = () => {
    const { certificate, key } = find(site);
    return { cert: readFileSync(certificate), key: readFileSync(key) };
  };
  const server = createServer(read(), (socket) => socket.on("error", () => {}).end());
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const watcher = watch(site, (event, name) => {
    if (event === "rename" && isSeen(name ?? "")) server.setSecureContext(read());
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
