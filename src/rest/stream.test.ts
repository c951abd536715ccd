import { once } from "node:events";
import * as http2 from "node:http2";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { JobService, JobStatus, type WatchJobResponseSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { notFound, outdated } from "../platform/errors.ts";
import { type RunningGateway, startGateway } from "./gateway-fixture.ts";

type Watch = (
  id: string,
  context: HandlerContext,
) => AsyncIterable<MessageInitShape<typeof WatchJobResponseSchema>>;

const target = "GET /api/v1/jobs/job-1/watch";
const path = "/api/v1/jobs/job-1/watch";
const events = { accept: "text/event-stream" };

function start(
  watch: Watch,
  options: Partial<Parameters<typeof startGateway>[0]> = {},
): Promise<RunningGateway> {
  return startGateway({
    routes: (router) => router.service(JobService, { watchJob: ({ id }, context) => watch(id, context) }),
    ...options,
  });
}

async function* twoSteps(id: string) {
  yield { job: { id, status: JobStatus.AWAITING_CSR } };
  yield { job: { id, status: JobStatus.COMPLETED } };
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, "abort");
}

/** Opens a stream over HTTP/1.1 and reads until the text matches. */
async function readUntil(origin: string, pattern: RegExp, headers: Record<string, string> = {}) {
  const controller = new AbortController();
  const response = await fetch(origin + path, { headers, signal: controller.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!pattern.test(text)) {
    const read = await reader?.read();
    if (!read || read.done) throw new Error(`the stream ended with ${text}`);
    text += read.value;
  }
  return { text, leave: () => controller.abort() };
}

describe.each(["h1", "h2"] as const)("a stream over %s", (protocol) => {
  test("is one line of JSON a message", async () => {
    await using gateway = await start(twoSteps);
    const { status, headers, text } = await gateway[protocol](target);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "application/x-ndjson",
      "cache-control": "no-store",
      "x-request-id": "req-1",
    });
    const lines = text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { id: "job-1", status: "AwaitingCSR", timeline: [], outcome: null },
      { id: "job-1", status: "Completed" },
    ]);
  });

  test("is a table for those who accept CSV, with its head even where there is no row", async () => {
    await using gateway = await start(twoSteps);
    const headers = { accept: "text/html, text/csv;q=0.9" };
    const answer = await gateway[protocol](target, { headers });
    expect(answer.headers["content-type"]).toBe("text/csv; charset=utf-8; header=present");
    const [head, first, second, ...rest] = answer.text.split("\r\n");
    expect(head).toMatch(/^id,type,status,/);
    expect(first).toMatch(/^job-1,,AwaitingCSR,/);
    expect(second).toMatch(/^job-1,,Completed,/);
    expect(rest).toEqual([""]);
    await using empty = await start(async function* () {});
    expect((await empty[protocol](target, { headers })).text).toBe(`${head}\r\n`);
  });

  test("is server-sent events for those who accept them", async () => {
    await using gateway = await start(twoSteps);
    for (const accept of ["text/event-stream", "application/json;q=0.5, text/event-stream;q=0.9"]) {
      const { headers, text } = await gateway[protocol](target, { headers: { accept } });
      expect(headers["content-type"]).toBe("text/event-stream; charset=utf-8");
      const [first, second, ...rest] = text.split("\n\n");
      expect(JSON.parse(first?.replace(/^data: /, "") ?? "")).toMatchObject({ status: "AwaitingCSR" });
      expect(JSON.parse(second?.replace(/^data: /, "") ?? "")).toMatchObject({ status: "Completed" });
      expect(rest).toEqual(["event: end\ndata: {}", ""]);
    }
  });

  test("that fails at once answers with the error's status", async () => {
    await using gateway = await start(async function* (id) {
      if (id) throw notFound("job", id);
      yield {};
    });
    expect(await gateway[protocol](target)).toMatchObject({ status: 404, json: { code: "not_found" } });
    expect((await gateway[protocol]("GET /api/v1/jobs/job-1/watch?x=1")).status).toBe(400);
  });

  test("that fails later ends with the error", async () => {
    await using gateway = await start(async function* (id) {
      yield { job: { id } };
      throw outdated("LEASE_LOST", "the lease is another's");
    });
    const lines = await gateway[protocol](target);
    expect(JSON.parse(lines.text.trimEnd().split("\n")[1] ?? "")).toEqual({
      error: "Conflict",
      code: "aborted",
      reason: "LEASE_LOST",
      message: "the lease is another's",
      request_id: "req-1",
      details: [],
    });
    const { text } = await gateway[protocol](target, { headers: events });
    expect(text.split("\n\n")[1]).toMatch(/^event: error\ndata: \{"error":"Conflict"/);
    expect(gateway.errors).toEqual([]);
  });

  test("that breaks says nothing of why", async () => {
    const broken = new Error("password=hunter2");
    await using gateway = await start(async function* (id) {
      yield { job: { id } };
      throw broken;
    });
    const { text } = await gateway[protocol](target);
    expect(text).toContain('"message":"internal error"');
    expect(text).not.toContain("hunter2");
    expect(gateway.errors).toEqual([broken]);
  });

  test("may be empty, and answers HEAD with its header alone", async () => {
    let isEnded = false;
    await using gateway = await start(async function* (id, context) {
      if (context.requestMethod === "GET") return;
      try {
        yield { job: { id } };
        await aborted(context.signal);
      } finally {
        isEnded = true;
      }
    });
    expect(await gateway[protocol](target)).toMatchObject({ status: 200, text: "" });
    expect(await gateway[protocol](target.replace("GET", "HEAD"))).toMatchObject({ status: 200, text: "" });
    expect(isEnded).toBe(true);
  });

  test("ends when the server shuts down, by the implementation or for it", async () => {
    for (const isGraceful of [true, false]) {
      const shutdown = new AbortController();
      await using gateway = await start(
        async function* (id, { signal }) {
          yield { job: { id } };
          await aborted(signal);
          if (!isGraceful) throw signal.reason;
        },
        { shutdownSignal: shutdown.signal },
      );
      const answer = gateway[protocol](target);
      setTimeout(() => shutdown.abort(), 50);
      const lines = (await answer).text.trimEnd().split("\n");
      expect(lines).toHaveLength(isGraceful ? 1 : 2);
      if (!isGraceful) expect(lines[1]).toContain('"code":"unavailable"');
    }
  });

  test("carries more than the connection holds at once", async () => {
    const text = "x".repeat(100_000);
    await using gateway = await start(async function* (id) {
      for (let count = 0; count < 50; count++) yield { job: { id, error: { message: text } } };
    });
    const answer = await gateway[protocol](target);
    expect(answer.text.trimEnd().split("\n")).toHaveLength(50);
    expect(answer.text.length).toBeGreaterThan(5_000_000);
  });
});

describe("an idle stream", () => {
  test("is pinged by empty lines or comments", async () => {
    await using gateway = await start(
      async function* (id, { signal }) {
        yield { job: { id } };
        await aborted(signal);
      },
      { pingIntervalMs: 10 },
    );
    const lines = await readUntil(gateway.origins.h1, /\n\n\n/);
    lines.leave();
    const comments = await readUntil(gateway.origins.h1, /\n\n: ping\n\n: ping\n\n/, events);
    comments.leave();
    expect(comments.text).toMatch(/^data: /);
  });

  test("tells the implementation that the client has left", async () => {
    const left: unknown[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await using gateway = await start(async function* (id, { signal }) {
      yield { job: { id } };
      await aborted(signal);
      left.push(signal.reason);
      if (left.length === 2) resolve();
      throw signal.reason;
    });
    const overH1 = await readUntil(gateway.origins.h1, /\n/);
    overH1.leave();
    const session = http2.connect(gateway.origins.h2);
    const stream = session.request({ ":path": path });
    await once(stream, "data");
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await promise;
    session.destroy();
    expect(left).toMatchObject([
      { rawMessage: "the client has left" },
      { rawMessage: "the client has left" },
    ]);
    expect(gateway.errors).toEqual([]);
  });
});
