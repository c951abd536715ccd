import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  type SecureClientSessionOptions,
} from "node:http2";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import { connect as connectNet, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { makeChain, makePlaceholder } from "../../test/certificates.ts";
import { type HttpRequest, type HttpResponse, peerCertificate, socketOf } from "./http-message.ts";
import { createListener, type ListenerOptions, type TlsIdentity } from "./listener.ts";
import { StartupError } from "./startup-error.ts";

const chain = makeChain({ sans: ["localhost"] });
const client = makePlaceholder();
const identity: TlsIdentity = identityOf(chain);
const trust = { ca: chain.rootPem, servername: "localhost" };
const clientIdentity = { cert: client.certificatePem, key: client.keyPem };

function identityOf({ leafPem, intermediatePem, keyPem }: typeof chain): TlsIdentity {
  return { cert: leafPem + intermediatePem, key: keyPem, ca: [client.certificatePem] };
}

async function start(options: Partial<ListenerOptions> = {}) {
  const log = pino({ level: "silent" });
  const listener = createListener({
    handler: describePeer,
    tls: identity,
    log,
    portVariable: "PORT",
    ...options,
  });
  const port = await listener.listen(0, "127.0.0.1");
  return {
    ...listener,
    port,
    [Symbol.asyncDispose]: () => listener.close({ graceMs: 0 }),
  };
}

function describePeer(request: HttpRequest, response: HttpResponse): void {
  const peer = peerCertificate(request)?.subject ?? "nobody";
  respond(response, `${request.httpVersion} ${peer} ${socketOf(request).remoteAddress}`);
}

function respond(response: HttpResponse, body: string): void {
  response.statusCode = 200;
  response.end(body);
}

async function overHttp1(port: number, options: RequestOptions = {}): Promise<string> {
  const sent = httpsRequest({ host: "127.0.0.1", port, agent: false, ...trust, ...options });
  sent.end();
  const [response] = await once(sent, "response");
  return text(response);
}

async function openHttp2(
  port: number,
  options: SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ...trust, ...options });
  // The server's limits hold from here on.
  await once(session, "remoteSettings");
  return session;
}

async function overHttp2(session: ClientHttp2Session, headers: Record<string, string> = {}): Promise<string> {
  return text(session.request({ ":path": "/", ...headers }));
}

async function openTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ host: "127.0.0.1", port, ...trust, ...options });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

describe("the listener", () => {
  test("serves HTTP/1.1 and HTTP/2 on one port, with and without a client's certificate", async () => {
    await using server = await start();
    expect(await overHttp1(server.port)).toBe("1.1 nobody 127.0.0.1");
    expect(await overHttp1(server.port, clientIdentity)).toBe("1.1 CN=placeholder 127.0.0.1");

    for (const [options, peer] of [
      [{}, "nobody"],
      [clientIdentity, "CN=placeholder"],
    ] as const) {
      const session = await openHttp2(server.port, options);
      expect(await overHttp2(session)).toBe(`2.0 ${peer} 127.0.0.1`);
      session.close();
    }
  });

  test("knows nobody by a certificate that its CA did not vouch for", async () => {
    await using server = await start();
    const stranger = makePlaceholder();
    const options = { cert: stranger.certificatePem, key: stranger.keyPem };
    expect(await overHttp1(server.port, options)).toBe("1.1 nobody 127.0.0.1");
  });

  test("gives all requests of a connection the same socket and certificate", async () => {
    const seen: unknown[][] = [];
    await using server = await start({
      handler(request, response) {
        seen.push([socketOf(request), peerCertificate(request)]);
        respond(response, "");
      },
    });
    const session = await openHttp2(server.port, clientIdentity);
    await Promise.all([overHttp2(session), overHttp2(session)]);
    session.close();
    expect(seen[0]?.[0]).toBe(seen[1]?.[0]);
    expect(seen[0]?.[1]).toBe(seen[1]?.[1]);
  });

  test("refuses headers above 16 KiB", async () => {
    await using server = await start();
    const long = "x".repeat(17 * 1024);
    const sent = httpsRequest({
      host: "127.0.0.1",
      port: server.port,
      agent: false,
      ...trust,
      headers: { long },
    });
    sent.end();
    const [response] = await once(sent, "response");
    expect(response.statusCode).toBe(431);

    const session = await openHttp2(server.port);
    const stream = session.request({ ":path": "/", long });
    await expect(once(stream, "response")).rejects.toThrow("NGHTTP2_ENHANCE_YOUR_CALM");
    session.destroy();
  });

  test("serves a new certificate at once, and open connections as before", async () => {
    await using server = await start();
    const session = await openHttp2(server.port);
    const renewed = makeChain({ sans: ["localhost"] });
    server.setTls(identityOf(renewed));

    const socket = await openTls(server.port, { ca: renewed.rootPem });
    const { fingerprint256 } = socket.getPeerCertificate();
    expect(fingerprint256.replaceAll(":", "").toLowerCase()).toBe(renewed.fingerprintSha256);
    socket.destroy();
    expect(await overHttp2(session)).toContain("2.0");
    session.close();
  });

  test("says which variable mends a taken port", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const log = pino({ level: "silent" });
    const listener = createListener({
      handler: describePeer,
      tls: identity,
      log,
      portVariable: "CERTCTL_PORT",
    });
    const listening = listener.listen(port, "127.0.0.1");
    await expect(listening).rejects.toThrow(`port ${port} is taken; set CERTCTL_PORT to another`);
    await expect(listening).rejects.toThrow(StartupError);
    taken.close();
  });
});

describe("the listener's limits", () => {
  const limits = {
    handshakeTimeoutMs: 200,
    headersTimeoutMs: 200,
    requestTimeoutMs: 300,
    keepAliveTimeoutMs: 200,
    idleTimeoutMs: 200,
    checkIntervalMs: 50,
  };

  test("cut a client that never finishes its TLS handshake", async () => {
    await using server = await start({ limits });
    const socket = connectNet(server.port, "127.0.0.1");
    await once(socket.resume(), "close");
    expect(socket.destroyed).toBe(true);
  });

  test.each([
    ["headers", "GET / HTTP/1.1\r\nHost: localhost\r\n", "408"],
    ["a body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx", "408"],
    ["another request", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"],
  ])("cut an HTTP/1.1 client that never sends the rest of %s", async (part, bytes, status) => {
    const handler: ListenerOptions["handler"] = (request, response) => {
      if (part !== "a body") respond(response, "");
      else request.resume();
    };
    await using server = await start({ limits, handler });
    const socket = await openTls(server.port, { ALPNProtocols: ["http/1.1"] });
    socket.write(bytes);
    expect(await text(socket)).toContain(`HTTP/1.1 ${status}`);
  });

  test("cut an HTTP/2 client that sends nothing", async () => {
    await using server = await start({ limits: { ...limits, idleTimeoutMs: 60_000 } });
    const socket = await openTls(server.port, { ALPNProtocols: ["h2"] });
    await once(socket.resume(), "close");
    expect(socket.destroyed).toBe(true);
  });

  test("end an HTTP/2 connection that lies idle", async () => {
    await using server = await start({ limits });
    const session = await openHttp2(server.port);
    await overHttp2(session);
    await once(session, "close");
    expect(session.destroyed).toBe(true);
  });
});

describe("closing the listener", () => {
  /** A server whose handler waits until it is told to answer. */
  async function startSlow() {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    let count = 0;
    const server = await start({
      handler(_request, response) {
        if (++count === 2) arrive();
        void answered.then(() => respond(response, "done"));
      },
    });
    return { server, arrived, answer };
  }

  test("lets requests finish, and ends the idle connections", async () => {
    const { server, arrived, answer } = await startSlow();
    const agent = new Agent({ keepAlive: true, ...trust });
    const session = await openHttp2(server.port);
    const idle = await openHttp2(server.port);
    const answers = Promise.all([overHttp1(server.port, { agent }), overHttp2(session)]);
    await arrived;

    const closed = server.close({ graceMs: 20_000 });
    await once(idle, "close");
    const refused = connectNet(server.port, "127.0.0.1");
    await expect(once(refused, "connect")).rejects.toThrow("ECONNREFUSED");
    answer();
    expect(await answers).toEqual(["done", "done"]);
    await closed;
    expect(session.destroyed).toBe(true);
    agent.destroy();
  });

  test("cuts what does not finish in time", async () => {
    const { server, arrived } = await startSlow();
    const session = await openHttp2(server.port);
    session.on("error", () => {});
    const failing = [overHttp1(server.port), overHttp2(session)].map((answer) => answer.catch(() => "cut"));
    const handshaking = connectNet(server.port, "127.0.0.1");
    handshaking.on("error", () => {});
    await arrived;
    await server.close({ graceMs: 50 });
    const [first] = await Promise.all(failing);
    expect(first).toBe("cut");
    if (!handshaking.destroyed) await once(handshaking.resume(), "close");
    await sleep(0);
    expect(session.destroyed).toBe(true);
  });
});
