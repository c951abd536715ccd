import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chain, makeChain } from "../../test/certificates.ts";
import { createEgress, EgressError } from "./egress.ts";
import { callHttp, type EgressRequest } from "./egress-http.ts";

let parts: AsyncDisposableStack;
beforeAll(() => {
  parts = new AsyncDisposableStack();
});
afterAll(() => parts.disposeAsync());

/** A real server on loopback; the port. */
async function serve(answer: RequestListener, chain?: Chain): Promise<number> {
  const server = chain
    ? createHttpsServer({ cert: chain.leafPem + chain.intermediatePem, key: chain.keyPem }, answer)
    : createHttpServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  parts.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const loopback = createEgress(["127.0.0.0/8", "::1/128"]);

function get(url: string, options: Partial<EgressRequest> = {}, egress = loopback) {
  const signal = new AbortController().signal;
  return callHttp(egress, { method: "GET", url: new URL(url), signal, ...options });
}

describe("a call", () => {
  test("brings method, path, headers and body, and the answer back", async () => {
    const port = await serve(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      const body = Buffer.concat(parts).toString();
      const { host, "x-kind": kind } = request.headers;
      response
        .writeHead(201)
        .end(JSON.stringify({ method: request.method, url: request.url, host, kind, body }));
    });
    const answer = await get(`http://127.0.0.1:${port}/a%20b?c=d`, {
      method: "POST",
      headers: { "x-kind": "test" },
      body: "grüße",
    });
    expect(answer).toMatchObject({ status: 201, statusText: "Created" });
    expect(JSON.parse(answer.body.toString())).toEqual({
      method: "POST",
      url: "/a%20b?c=d",
      host: `127.0.0.1:${port}`,
      kind: "test",
      body: "grüße",
    });
  });

  test("to an internal address is refused unless it is allowed, by name or by number", async () => {
    let calls = 0;
    const port = await serve((_request, response) => {
      calls++;
      response.end();
    });
    const closed = createEgress([]);
    for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "127.1"]) {
      const call = get(`http://${host}:${port}/`, {}, closed);
      await expect(call, host).rejects.toThrow(/internal address; list it in CERTCTL_EGRESS_ALLOW/);
    }
    expect(calls).toBe(0);
    expect(await get(`http://localhost:${port}/`)).toMatchObject({ status: 200 });
    expect(calls).toBe(1);
  });

  test("to a metadata service is refused although everything is allowed", async () => {
    const everything = createEgress(["0.0.0.0/0", "::/0"]);
    for (const host of ["169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "0.0.0.0"]) {
      const call = get(`http://${host}/latest/meta-data`, {}, everything);
      await expect(call, host).rejects.toThrow(/never connects there/);
    }
  });

  test("does not follow a redirect", async () => {
    const port = await serve((_request, response) =>
      response.writeHead(302, { location: "http://169.254.169.254/" }).end(),
    );
    expect(await get(`http://127.0.0.1:${port}/`)).toMatchObject({ status: 302 });
  });

  test("takes no more of an answer than its limit", async () => {
    const port = await serve((_request, response) => response.end("x".repeat(2_000)));
    await expect(get(`http://127.0.0.1:${port}/`, { maxBytes: 1_000 })).rejects.toThrow(
      "answered with more than 1000 octets",
    );
    expect((await get(`http://127.0.0.1:${port}/`, { maxBytes: 2_000 })).body).toHaveLength(2_000);
  });

  test("to a server that stays silent ends with its time, or with its signal", async () => {
    const port = await serve(() => {});
    const url = `http://127.0.0.1:${port}/`;
    await expect(get(url, { timeoutMs: 50 })).rejects.toThrow("did not answer within 0.05 s");
    const stop = new AbortController();
    const call = get(url, { signal: stop.signal });
    stop.abort(new Error("stopping"));
    await expect(call).rejects.toThrow("stopping");
  });

  test("to a port where nothing listens says so", async () => {
    await expect(get("http://127.0.0.1:1/")).rejects.toThrow(/ECONNREFUSED/);
  });

  test("of another protocol is refused", async () => {
    await expect(get("ftp://127.0.0.1/")).rejects.toThrow(EgressError);
  });
});

test("what an address is refused for is known beforehand, of a name it is not", () => {
  expect(loopback.refuses("127.0.0.1")).toBeNull();
  expect(loopback.refuses("10.0.0.1")).toContain("CERTCTL_EGRESS_ALLOW");
  expect(loopback.refuses("169.254.169.254")).toContain("never connects there");
  expect(loopback.refuses("metadata.example")).toBeNull();
});

describe("TLS", () => {
  const ok: RequestListener = (_request, response) => response.end("ok");

  test("is verified by the CA that is given and for the name that is called", async () => {
    const chain = makeChain({ sans: ["localhost"] });
    const port = await serve(ok, chain);
    const url = `https://localhost:${port}/`;
    expect((await get(url, { ca: chain.rootPem })).body.toString()).toBe("ok");
    await expect(get(`https://127.0.0.1:${port}/`, { ca: chain.rootPem })).rejects.toThrow(/altnames/);
    await expect(get(url)).rejects.toThrow(/certificate/);
    const other = makeChain({ sans: ["localhost"] });
    await expect(get(url, { ca: other.rootPem })).rejects.toThrow(/certificate/);
  });

  test("is verified for an IP address, too", async () => {
    const chain = makeChain({ sans: ["127.0.0.1"] });
    const port = await serve(ok, chain);
    expect(await get(`https://127.0.0.1:${port}/`, { ca: chain.rootPem })).toMatchObject({ status: 200 });
  });
});
