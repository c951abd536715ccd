import { once } from "node:events";
import { request as callHttps, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { makeChain } from "./certificates.ts";
import type { Pebble } from "./pebble.ts";

/** One call that a client made of the CA. */
export interface AcmeCall {
  /** What the client sent, JSON inside its signature; empty where there is none. */
  payload: string;
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
  /** Another answer than the CA's own, by what its problem document says; null: its own. */
  refuse: (call: AcmeCall) => { status: number; type: string; detail: string } | null;
}

export async function startAcmeProxy(pebble: Pebble): Promise<AcmeProxy> {
  const chain = makeChain({ sans: ["localhost"] });
  const upstream = new URL(pebble.directoryUrl);
  const server = createServer(
    { cert: chain.leafPem + chain.intermediatePem, key: chain.keyPem },
    async (request, response) => {
      const body = await buffer(request);
      const call: AcmeCall = { kind: request.url?.split("/")[1] ?? "", status: 0, payload: payloadOf(body) };
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
      const refusal = proxy.refuse(call);
      if (!refusal) return void response.writeHead(answer.statusCode, answer.headers).end(content);
      call.status = refusal.status;
      const problem = JSON.stringify({ ...refusal, type: `urn:ietf:params:acme:error:${refusal.type}` });
      const { "replay-nonce": nonce = "" } = answer.headers;
      const headers = { "content-type": "application/problem+json", "replay-nonce": nonce };
      response.writeHead(refusal.status, headers).end(problem);
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: AcmeProxy = {
    directoryUrl: `https://localhost:${(server.address() as AddressInfo).port}/dir`,
    ca: chain.rootPem,
    calls: [],
    gate: async () => true,
    refuse: () => null,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

function payloadOf(body: Buffer): string {
  if (body.length === 0) return "";
  return Buffer.from(JSON.parse(body.toString()).payload ?? "", "base64url").toString();
}
