import { once } from "node:events";
import { request as callHttps, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { makeChain } from "./certificates.ts";
import type { Pebble } from "./pebble.ts";

/** One call that a client made of the CA. */
export interface AcmeCall {
  /** "order-plz", "authZ", "chalZ", "finalize-order", "certZ", …: Pebble's own names. */
  kind: string;
  /** What the CA answered; 0: it was not asked. */
  status: number;
}

/** Stands between a client and a CA, and can stop at any call, before it goes there or before its answer comes back. */
export interface AcmeProxy extends AsyncDisposable {
  directoryUrl: string;
  ca: string;
  calls: AcmeCall[];
  /** Called at each; while it does not return, nothing goes on. False: the connection breaks there. */
  gate: (call: AcmeCall, moment: "before" | "after") => Promise<boolean>;
}

export async function startAcmeProxy(pebble: Pebble): Promise<AcmeProxy> {
  const chain = makeChain({ sans: ["localhost"] });
  const upstream = new URL(pebble.directoryUrl);
  const server = createServer(
    { cert: chain.leafPem + chain.intermediatePem, key: chain.keyPem },
    async (request, response) => {
      const call: AcmeCall = { kind: request.url?.split("/")[1] ?? "", status: 0 };
      const body = await buffer(request);
      proxy.calls.push(call);
      if (!(await proxy.gate(call, "before"))) return void request.socket.destroy();
      // The host that was asked for stays: the CA makes its URLs of it.
      const forwarded = callHttps({
        ...{ host: upstream.hostname, port: upstream.port, path: request.url, method: request.method },
        ...{ ca: pebble.ca, headers: request.headers, agent: false },
      });
      forwarded.end(body);
      const [answer] = await once(forwarded, "response");
      call.status = answer.statusCode;
      const content = await buffer(answer);
      if (!(await proxy.gate(call, "after"))) return void request.socket.destroy();
      response.writeHead(answer.statusCode, answer.headers).end(content);
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: AcmeProxy = {
    directoryUrl: `https://localhost:${(server.address() as AddressInfo).port}/dir`,
    ca: chain.rootPem,
    calls: [],
    gate: async () => true,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}
