import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import * as http2 from "node:http2";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { unauthenticated } from "../platform/errors.ts";
import { type RunningGateway, startGateway } from "./gateway-fixture.ts";

const target = "POST /api/v1/certificates";
const path = "/api/v1/certificates";
const json = { "content-type": "application/json" };

function start(options: Partial<Parameters<typeof startGateway>[0]> = {}): Promise<RunningGateway> {
  return startGateway({
    readMaxBytes: 1000,
    routes: (router) =>
      router.service(CertificateService, {
        createCertificate: ({ name }) => ({ certificate: { id: "mc-1", name } }),
      }),
    ...options,
  });
}

/** Sends until an answer is there, and reads it. */
async function sendEndlesslyH1(origin: string): Promise<{ status: number; text: string }> {
  const request = httpRequest(origin + path, { method: "POST", headers: json });
  request.on("error", () => undefined); // the server may cut off what is still sent
  let isAnswered = false;
  const pump = () => {
    while (!isAnswered && request.write("x".repeat(65_536)));
  };
  request.on("drain", pump);
  pump();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
    isAnswered = true;
  }
  return { status: response.statusCode ?? 0, text };
}

/** As above; `isTold`: the server has reset the stream without an error, which tells the client to stop. */
async function sendEndlesslyH2(origin: string): Promise<{ status: number; text: string; isTold: boolean }> {
  const session = http2.connect(origin);
  const stream = session.request({ ":method": "POST", ":path": path, ...json });
  const pump = () => {
    while (!stream.destroyed && stream.write("x".repeat(65_536)));
  };
  stream.on("drain", pump);
  pump();
  const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await once(stream, "end");
  await new Promise<void>((done) => session.ping(() => done())); // what the server sent before is here, too
  const isTold = stream.closed && stream.rstCode === http2.constants.NGHTTP2_NO_ERROR;
  session.destroy();
  return { status: Number(headers[":status"]), text, isTold };
}

describe.each(["h1", "h2"] as const)("a body over %s", (protocol) => {
  test("is an empty object where there is none", async () => {
    await using gateway = await start();
    const { status, json: answer } = await gateway[protocol](target);
    expect(status).toBe(400);
    expect(answer).toMatchObject({ details: [{ field: "name" }, { field: "common_name" }] });
  });

  test("must be JSON, and is not quoted back", async () => {
    await using gateway = await start();
    for (const body of ["{token: 'hunter2'", "[".repeat(900)]) {
      const { status, json: answer, text } = await gateway[protocol](target, { body });
      expect(status).toBe(400);
      expect(answer).toMatchObject({ code: "invalid_argument", message: "the body is not JSON" });
      expect(text).not.toContain("hunter2");
    }
    for (const body of ["[]", "null", "1"]) {
      const { status, json: answer } = await gateway[protocol](target, { body });
      expect(status).toBe(400);
      expect(answer).toMatchObject({ message: "the body must be a JSON object" });
    }
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])(
    "must not be of type %j",
    async (type) => {
      await using gateway = await start();
      const ask = { body: "{}", headers: { "content-type": type } };
      expect(await gateway[protocol](target, ask)).toMatchObject({
        status: 415,
        json: { error: "Unsupported Media Type", code: "invalid_argument" },
      });
    },
  );

  test("may be of a type that is JSON, but not compressed", async () => {
    await using gateway = await start();
    const body = { name: "a", common_name: "a" };
    for (const type of [
      "application/json; charset=utf-8",
      "application/merge-patch+json",
      "Application/JSON",
    ]) {
      const ask = { body, headers: { "content-type": type } };
      expect(await gateway[protocol](target, ask)).toMatchObject({ status: 201 });
    }
    const headers = { ...json, "content-encoding": "gzip" };
    expect(await gateway[protocol](target, { body, headers })).toMatchObject({ status: 415 });
  });

  test("must not be too large", async () => {
    await using gateway = await start();
    const sized = (length: number) => ({ body: { name: "a".repeat(length - 29), common_name: "a" } });
    expect(JSON.stringify(sized(1000).body)).toHaveLength(1000);
    expect((await gateway[protocol](target, sized(1000))).status).toBe(400);
    expect(await gateway[protocol](target, sized(1001))).toMatchObject({
      status: 413,
      json: { error: "Payload Too Large", code: "resource_exhausted" },
    });
    expect(await gateway[protocol](target, sized(5_000_000))).toMatchObject({ status: 413 });
  });
});

describe("a client that is still sending", () => {
  test("is told over HTTP/1.1 that the body is too large", async () => {
    await using gateway = await start();
    const { status, text } = await sendEndlesslyH1(gateway.origins.h1);
    expect(status).toBe(413);
    expect(JSON.parse(text)).toMatchObject({ code: "resource_exhausted" });
  });

  test("is told over HTTP/2 that the body is too large, and to stop", async () => {
    await using gateway = await start();
    const { status, text, isTold } = await sendEndlesslyH2(gateway.origins.h2);
    expect(status).toBe(413);
    expect(JSON.parse(text)).toMatchObject({ code: "resource_exhausted" });
    expect(isTold).toBe(true);
  });

  test("is cut off if it neither goes on nor ends", async () => {
    await using gateway = await start();
    const { port } = new URL(gateway.origins.h1);
    const socket = connect(Number(port), "127.0.0.1").setEncoding("utf8");
    const head = [
      `POST ${path} HTTP/1.1`,
      "host: x",
      "content-type: application/json",
      "content-length: 2000",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n{`);
    let text = "";
    for await (const chunk of socket) text += chunk;
    expect(text).toMatch(/^HTTP\/1.1 413 Payload Too Large\r\n/);
    expect(text).toMatch(/"code":"resource_exhausted".*\}\n$/);
  });

  test("is told that it has no credential", async () => {
    const before = () => Promise.reject(unauthenticated("a credential is needed"));
    await using gateway = await start({ before });
    expect((await sendEndlesslyH1(gateway.origins.h1)).status).toBe(401);
    expect((await sendEndlesslyH2(gateway.origins.h2)).status).toBe(401);
  });

  test("and leaves is no error", async () => {
    await using gateway = await start();
    const request = httpRequest(gateway.origins.h1 + path, { method: "POST", headers: json });
    request.on("error", () => undefined);
    request.write("{");
    await once(request, "socket");
    const session = http2.connect(gateway.origins.h2);
    const stream = session.request({ ":method": "POST", ":path": path, ...json });
    stream.write("{");
    await gateway.h1("GET /api/v1/unknown");
    request.destroy();
    session.destroy();
    expect((await gateway.h1("GET /api/v1/unknown")).status).toBe(404);
    expect(gateway.errors).toEqual([]);
  });
});
