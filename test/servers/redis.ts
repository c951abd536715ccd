import { join } from "node:path";
import type { Recipe } from "./server.ts";

export const redis: Recipe = {
  package: "redis-server",
  async prepare({ directory, site, port }) {
    const [certificate, key] = [join(site, "current", "fullchain.pem"), join(site, "current", "privkey.pem")];
    const socket = join(directory, "redis.sock");
    const files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no"];
    const places = ["--port", "0", "--tls-port", String(port), "--bind", "127.0.0.1", "--unixsocket", socket];
    return {
      argv: ["redis-server", ...places, ...files, "--save", "", "--dir", directory],
      // One command for both, or the first would not fit the second.
      reload: () => [
        ...(["redis-cli", "-e", "-s", socket, "CONFIG", "SET"] as const),
        ...["tls-cert-file", certificate, "tls-key-file", key],
      ],
    };
  },
};
