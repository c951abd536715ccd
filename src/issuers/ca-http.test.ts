import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { makeChain } from "../../test/certificates.ts";
import { createEgress } from "../platform/egress.ts";
import { askCa, type CaApi, type CaCall, callCa } from "./ca-http.ts";

let parts: AsyncDisposableStack;
beforeEach(() => {
  parts = new AsyncDisposableStack();
});
afterEach(() => parts.disposeAsync());

const now = new Date("2030-06-01T12:00:00Z");
const stop = new AbortController();
const tools = { egress: createEgress(["127.0.0.0/8"]), signal: stop.signal, clock: () => now };
const call: CaCall = { step: "sign", method: "POST", path: "/v1/sign" };

async function serve(answer: RequestListener): Promise<CaApi> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  parts.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/` };
}

/** What the CA is told, and by which address. */
async function told(changes: Partial<CaCall>, apiChanges: Partial<CaApi> = {}) {
  const api = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
  const answer = z.object({
    method: z.string(),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
  });
  return askCa(tools, { ...api, ...apiChanges }, { ...call, ...changes }, answer);
}

const refusedBy = (api: CaApi) => callCa(tools, api, call).catch((error: unknown) => error);

describe("a call of a CA's API", () => {
  test("goes below the API's address, with its headers, query and JSON", async () => {
    const query = { hashing: "on", "a b": "c&d" };
    expect(
      await told({ body: { csr: "…" }, query, headers: { "x-call": "1" } }, { headers: { "x-token": "t" } }),
    ).toMatchObject({
      method: "POST",
      url: "/api/v1/sign?hashing=on&a+b=c%26d",
      headers: { "content-type": "application/json", "x-token": "t", "x-call": "1" },
      body: '{"csr":"…"}',
    });
  });

  test("sends a text as it is, and nothing where there is nothing", async () => {
    const headers = { "content-type": "application/x-amz-json-1.1" };
    expect(await told({ body: '{"a": 1}', headers })).toMatchObject({ headers, body: '{"a": 1}' });
    const { headers: bare, body } = await told({ method: "GET" });
    expect({ type: bare["content-type"], body }).toEqual({ type: undefined, body: "" });
  });

  test("shows a client certificate, and trusts the CA that it is given alone", async () => {
    const server = makeChain({ sans: ["127.0.0.1"] });
    const client = makeChain({ sans: ["certctl.example"] });
    const listener = createTlsServer(
      {
        cert: server.leafPem + server.intermediatePem,
        key: server.keyPem,
        ca: client.rootPem,
        requestCert: true,
        rejectUnauthorized: false,
      },
      (request, response) => {
        const { subjectaltname } = (request.socket as TLSSocket).getPeerCertificate();
        response.end(JSON.stringify({ subjectaltname: subjectaltname ?? "nobody" }));
      },
    ).listen(0, "127.0.0.1");
    await once(listener, "listening");
    parts.defer(() => {
      listener.closeAllConnections();
      listener.close();
    });
    const url = `https://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    const shown = z.object({ subjectaltname: z.string() });
    const api = { url, ca: server.rootPem };
    expect(await askCa(tools, api, call, shown)).toEqual({ subjectaltname: "nobody" });
    const known = { ...api, client: { cert: client.leafPem + client.intermediatePem, key: client.keyPem } };
    expect(await askCa(tools, known, call, shown)).toEqual({ subjectaltname: "DNS:certctl.example" });
    expect(await refusedBy({ url, ca: client.rootPem })).toMatchObject({
      failureClass: "Network",
      message: expect.stringContaining("unable to get local issuer certificate"),
    });
  });
});

describe("a refusal", () => {
  test.each([
    [400, {}, "Refused"],
    [422, {}, "Refused"],
    [401, {}, "Configuration"],
    [403, {}, "Configuration"],
    [404, {}, "Configuration"],
    [302, { location: "https://elsewhere.example/" }, "Configuration"],
    [429, {}, "RateLimited"],
    [503, { "retry-after": "120" }, "RateLimited"],
    [503, {}, "Network"],
    [500, {}, "Network"],
  ])("by %i with %o is of the class %s", async (status, headers, failureClass) => {
    const api = await serve((_request, response) => void response.writeHead(status, headers).end("secret"));
    const error = await refusedBy(api);
    expect(error).toMatchObject({ step: "sign", failureClass });
    expect(String(error)).toContain(`answered ${status}`);
    expect(String(error)).not.toContain("secret");
  });

  test("says when to come back, in seconds or by date", async () => {
    for (const [value, retryAfterMs] of [
      ["90", 90_000],
      ["Sat, 01 Jun 2030 12:01:00 GMT", 60_000],
      ["Sat, 01 Jun 2030 11:00:00 GMT", 0],
      ["soon", null],
    ] as const) {
      const api = await serve(
        (_request, response) => void response.writeHead(429, { "retry-after": value }).end(),
      );
      expect(await refusedBy(api), value).toMatchObject({ failureClass: "RateLimited", retryAfterMs });
    }
  });

  test("is told in the API's own words, without keys and at most 500 characters, and may have a class of its own", async () => {
    const key = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----";
    const api = await serve((_request, response) => {
      response
        .writeHead(400)
        .end(JSON.stringify({ error: `role unknown ${key}${"x".repeat(600)}`, more: "hidden" }));
    });
    const error = await refusedBy({
      ...api,
      words: (body) => z.object({ error: z.string() }).parse(body).error.slice(0, 490),
      classOf: () => "Configuration",
    });
    expect(error).toMatchObject({ failureClass: "Configuration" });
    expect(String(error)).toContain("role unknown [private key removed]x");
    expect(String(error)).not.toContain("hidden");
    expect(String(error).length).toBeLessThan(600);
  });
});

describe("an answer", () => {
  test("that is no JSON, or another one than is needed, is said to be so without showing it", async () => {
    const needs = z.object({ data: z.object({ certificate: z.string() }) });
    for (const [body, failureClass, words] of [
      ["<html>hidden</html>", "Network", "something other than JSON"],
      ['{"data": {"hidden": 1}}', "Refused", "not as expected: data.certificate"],
    ] as const) {
      const api = await serve((_request, response) => void response.end(body));
      const error = await askCa(tools, api, call, needs).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ failureClass, message: expect.stringContaining(words) });
      expect(String(error)).not.toContain("hidden");
    }
  });

  test("that never comes, or never ends, is given up", async () => {
    const silent = await serve(() => {});
    await expect(callCa(tools, silent, { ...call, timeoutMs: 50 })).rejects.toMatchObject({
      failureClass: "Network",
      message: expect.stringContaining("did not answer within"),
    });
    const endless = await serve((_request, response) => {
      const flood = () => response.destroyed || response.write(Buffer.alloc(65_536), flood);
      flood();
    });
    expect(await refusedBy(endless)).toMatchObject({
      failureClass: "Network",
      message: expect.stringContaining("more than 1048576 octets"),
    });
  });

  test("of an address that certctl may not reach is a failure that names the setting", async () => {
    const closed = { ...tools, egress: createEgress([]) };
    const api = await serve((_request, response) => void response.end());
    await expect(callCa(closed, api, call)).rejects.toMatchObject({
      failureClass: "Network",
      message: expect.stringContaining("CERTCTL_EGRESS_ALLOW"),
    });
  });

  test("is not waited for once nobody wants it", async () => {
    const gone = new AbortController();
    const api = await serve(() => gone.abort(new Error("the server stops")));
    await expect(callCa({ ...tools, signal: gone.signal }, api, call)).rejects.toThrow("the server stops");
  });
});
