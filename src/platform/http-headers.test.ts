import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requestId, securityHeaders } from "./http-headers.ts";

const server = createServer((request, response) => {
  securityHeaders(response);
  response.end(requestId(request));
});
let url: string;
beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

test("an answer may not be kept, framed, sniffed or run", async () => {
  const { headers } = await fetch(url);
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(headers.get("referrer-policy")).toBe("no-referrer");
  expect(headers.get("strict-transport-security")).toBe("max-age=31536000");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-frame-options")).toBe("DENY");
});

describe("the request id", () => {
  const idFor = async (given: string) => (await fetch(url, { headers: { "x-request-id": given } })).text();
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

  test("is the caller's when it is fit for a log", async () => {
    expect(await idFor("Trace_1.a-b")).toBe("Trace_1.a-b");
    expect(await idFor("x".repeat(64))).toBe("x".repeat(64));
  });

  test.each(["", "a b", "a;b", "x".repeat(65), "ä"])("is a new UUID instead of %j", async (given) => {
    expect(await idFor(given)).toMatch(uuid);
  });
});
