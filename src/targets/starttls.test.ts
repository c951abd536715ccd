import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { makeChain } from "../../test/certificates.ts";
import { probe } from "./probe.ts";
import type { Protocol } from "./starttls.ts";

const chain = makeChain({ sans: ["site.test"] });
const secureContext = createSecureContext({ cert: chain.leafPem + chain.intermediatePem, key: chain.keyPem });

/** Greets, answers each line by the script, and begins TLS after the answer that says so. */
async function serve(greeting: string, answers: Record<string, string>, tlsAfter: string) {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.write(greeting);
    socket.on("data", function listen(part) {
      const said = part.toString("latin1").trim();
      heard.push(said);
      socket.write(answers[said] ?? "nobody expects this\r\n");
      if (said !== tlsAfter) return;
      socket.off("data", listen);
      new TLSSocket(socket, { isServer: true, secureContext }).on("error", () => {});
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    heard,
    look: (protocol: Protocol) =>
      probe(`127.0.0.1:${address.port}`, {
        protocol,
        serverName: "site.test",
        rootPem: chain.rootPem,
        signal: AbortSignal.timeout(5_000),
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const smtp = { "EHLO localhost": "250-mail.test\r\n250-STARTTLS\r\n250 HELP\r\n", STARTTLS: "220 go\r\n" };
const sslRequest = "\0\0\0\b\u0004\u00d2\u0016/".trim();

test.each<[Protocol, string, Record<string, string>, string]>([
  ["smtp", "220-mail.test\r\n220 ESMTP\r\n", smtp, "STARTTLS"],
  ["imap", "* OK ready\r\n", { "a STARTTLS": "a OK begin\r\n" }, "a STARTTLS"],
  ["pop3", "+OK ready\r\n", { STLS: "+OK begin\r\n" }, "STLS"],
  ["postgres", "", { [sslRequest]: "S" }, sslRequest],
])("shakes hands over %s", async (protocol, greeting, answers, tlsAfter) => {
  await using server = await serve(greeting, answers, tlsAfter);
  expect(await server.look(protocol)).toMatchObject({
    fingerprintSha256: chain.fingerprintSha256,
    chainProblem: null,
  });
  expect(server.heard).toEqual(Object.keys(answers));
});

test.each<[Protocol, string, Record<string, string>, RegExp]>([
  ["smtp", "554 no service\r\n", {}, /is not ready; it said: 554 no service/],
  ["smtp", "220 hi\r\n", { "EHLO localhost": "250 mail.test\r\n" }, /offers no STARTTLS/],
  ["imap", "* OK hi\r\n", { "a STARTTLS": "a BAD no TLS here\r\n" }, /does not begin TLS; .* no TLS here/],
  ["pop3", "+OK hi\r\n", { STLS: "-ERR no\r\n" }, /does not begin TLS; it said: -ERR no/],
  ["postgres", "", { [sslRequest]: "N" }, /does not begin TLS; it said: N/],
])("says in the server's words why it does not over %s", async (protocol, greeting, answers, words) => {
  await using server = await serve(greeting, answers, "nothing");
  await expect(server.look(protocol)).rejects.toThrow(words);
});

test("does not listen to a server without end", async () => {
  await using server = await serve(`220-${"x".repeat(20_000)}`, {}, "nothing");
  await expect(server.look("smtp")).rejects.toThrow("talks without end");
});
