import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { makeChain } from "../certificates.ts";

export interface FakeRequest {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
  /** SHA-256 of the client's certificate, with colons; empty: it showed none. */
  clientFingerprint: string;
}

export interface FakeAnswer {
  status: number;
  headers?: Record<string, string>;
  /** Text as it is, anything else as JSON. */
  body?: unknown;
}

/** `away`: the connection breaks before the call is handled. `lost`: it is handled, and its answer never arrives. */
export type Trouble = "away" | "lost" | FakeAnswer;

/** An HTTPS server on loopback that stands for a CA's API, and that tests make trouble with. */
export interface FakeServer extends AsyncDisposable {
  /** "https://localhost:40123" */
  url: string;
  /** PEM. */
  ca: string;
  /** "POST /path?query" of every call, those in trouble too. */
  calls: string[];
  /** What befalls the next calls that match, after some that it leaves alone. */
  befall(call: RegExp, trouble: Trouble, times?: number, after?: number): void;
}

/** What a server shows of itself, PEM: its certificate with what signed it, its key, and the root. */
export interface FakeIdentity {
  cert: string;
  key: string;
  ca: string;
}

function newIdentity(): FakeIdentity {
  const { leafPem, intermediatePem, keyPem, rootPem } = makeChain({ sans: ["localhost"] });
  return { cert: leafPem + intermediatePem, key: keyPem, ca: rootPem };
}

export async function startFakeServer(
  handle: (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>,
  { identity = newIdentity() }: { identity?: FakeIdentity } = {},
): Promise<FakeServer> {
  const troubles: { call: RegExp; trouble: Trouble; times: number; after: number }[] = [];
  const server = createServer(
    { cert: identity.cert, key: identity.key, requestCert: true, rejectUnauthorized: false },
    async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      const { method = "", headers } = request;
      const call = `${method} ${request.url} ${headers["x-amz-target"] ?? ""}`.trim();
      fake.calls.push(call);
      const near = troubles.find((entry) => entry.times > 0 && entry.call.test(call));
      const due = near?.after === 0 ? near : undefined;
      if (due) due.times -= 1;
      else if (near) near.after -= 1;
      if (due?.trouble === "away") return void response.destroy();
      const url = new URL(request.url ?? "", fake.url);
      const answer =
        typeof due?.trouble === "object"
          ? due.trouble
          : await handle({
              method,
              url,
              headers,
              body: Buffer.concat(parts).toString(),
              clientFingerprint: (request.socket as TLSSocket).getPeerCertificate().fingerprint256 ?? "",
            });
      if (due?.trouble === "lost") return void response.destroy();
      const { status, body = "" } = answer;
      response.writeHead(status, { "content-type": "application/json", ...answer.headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const fake: FakeServer = {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    ca: identity.ca,
    calls: [],
    befall: (call, trouble, times = 1, after = 0) => void troubles.push({ call, trouble, times, after }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return fake;
}
