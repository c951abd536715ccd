import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silent } from "../../test/fixtures.ts";
import { StartupError } from "../platform/startup-error.ts";
import { type PkiListener, type PkiRoute, startPkiListener } from "./listener.ts";

const echo: PkiRoute = {
  prefix: "/echo/",
  methods: ["GET", "POST"],
  async answer({ method, rest, body, contentType, address }) {
    if (rest === "missing") return null;
    if (rest === "broken") throw new Error("a secret of the inside");
    return {
      status: 200,
      body: JSON.stringify({ method, rest, body: body.toString(), contentType, address }),
    };
  },
};
const exact: PkiRoute = {
  ...echo,
  prefix: "/echo/one",
  methods: ["GET"],
  answer: async () => ({ status: 204 }),
};

let listener: PkiListener;
let url: string;
beforeAll(async () => {
  listener = await startPkiListener({ port: 0, address: "127.0.0.1", routes: [echo, exact], log: silent });
  url = `http://127.0.0.1:${listener.port}`;
});
afterAll(() => listener[Symbol.asyncDispose]());

/** What comes back for octets as they are. */
async function raw(request: string): Promise<string> {
  const socket = connect(listener.port, "127.0.0.1");
  socket.end(request);
  return text(socket);
}

describe("the PKI listener", () => {
  test("hands a route the path as it was sent, the body and the client's address", async () => {
    const answer = await raw("GET /echo/a%2Fb//c+=? HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(answer).toContain('"rest":"a%2Fb//c+=?"');
    const headers = { "content-type": "Application/OCSP-Request; x=y" };
    const posted = await fetch(`${url}/echo/`, { method: "POST", body: "abc", headers });
    expect(await posted.json()).toEqual({
      ...{ method: "POST", rest: "", body: "abc" },
      ...{ contentType: "application/ocsp-request", address: "127.0.0.1" },
    });
  });

  test("serves nothing but its routes, the longest that fits first", async () => {
    for (const path of ["/", "/echo", "/api/v1/certificates", "/health", "/echo/missing"])
      expect((await fetch(url + path)).status).toBe(404);
    expect((await fetch(`${url}/echo/one`)).status).toBe(204);
    expect((await fetch(`${url}/echo/one-more`)).status).toBe(200);
  });

  test("takes the methods of a route only, and HEAD for GET", async () => {
    const refused = await fetch(`${url}/echo/one`, { method: "POST", body: "x" });
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toBe("GET, HEAD");
    expect((await fetch(`${url}/echo/x`, { method: "DELETE" })).status).toBe(405);
    const head = await fetch(`${url}/echo/x`, { method: "HEAD" });
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(50);
    expect(await head.text()).toBe("");
  });

  test("takes no body beyond its limit, and no headers beyond theirs", async () => {
    expect((await fetch(`${url}/echo/`, { method: "POST", body: "x".repeat(16_385) })).status).toBe(413);
    expect((await fetch(`${url}/echo/`, { method: "POST", body: "x".repeat(16_384) })).status).toBe(200);
    expect((await fetch(`${url}/echo/${"x".repeat(9_000)}`)).status).toBe(431);
  });

  test("says nothing of what went wrong inside", async () => {
    const broken = await fetch(`${url}/echo/broken`);
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain("secret");
  });

  test("lets go of clients when it closes, whatever they wait for", async () => {
    const own = await startPkiListener({ port: 0, address: "127.0.0.1", routes: [echo], log: silent });
    const socket = connect(own.port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    await own[Symbol.asyncDispose]();
    if (!socket.closed) await once(socket, "close");
  });

  test("names the setting where its port is taken", async () => {
    const again = startPkiListener({ port: listener.port, address: "127.0.0.1", routes: [], log: silent });
    await expect(again).rejects.toThrow(StartupError);
    await expect(again).rejects.toThrow("CERTCTL_PKI_PORT");
  });
});
