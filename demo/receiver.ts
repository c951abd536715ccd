import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Egress } from "../src/platform/egress.ts";

/** Takes what the demo's notifiers send. */
export interface Receiver extends AsyncDisposable {
  /** Leads every connection here, whatever its name: the demo asks nobody outside. */
  egress: Egress;
}

/** Answers every webhook, but some of the chat's never: there are to be dead letters. */
export async function startReceiver(): Promise<Receiver> {
  const server = createServer((request, response) => {
    request.resume();
    const id = String(request.headers["x-certctl-delivery"]);
    response.statusCode = request.url?.startsWith("/chat") && /[a-g]$/.test(id) ? 503 : 204;
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    egress: {
      refuses: () => null,
      async connect(_destination, signal) {
        const socket = connect({ host: "127.0.0.1", port });
        await once(socket, "connect", { signal });
        return socket;
      },
      connectTls: () => Promise.reject(new Error("the demo has no TLS here")),
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
