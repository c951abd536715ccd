import { once } from "node:events";
import { createServer, type TlsOptions } from "node:tls";
import { expect, test } from "vitest";
import { type Chain, makeChain } from "../../test/certificates.ts";
import { type Expected, nameToProve, prove, serverNameFor } from "./prove.ts";

interface TestServer extends AsyncDisposable {
  endpoint: string;
  /** The name that each handshake asked for. */
  names: (string | false)[];
  connections(): number;
}

/** Serves these in turn, one to a handshake; the last one for good. */
async function serve(...contexts: [TlsOptions, ...TlsOptions[]]): Promise<TestServer> {
  const names: (string | false)[] = [];
  const server = createServer(contexts[0], (socket) => {
    names.push(socket.servername ?? false);
    socket.on("error", () => {}).end();
  });
  let connections = 0;
  // The server's own listener has taken the context for this connection already.
  server.on("connection", () => {
    connections += 1;
    const next = contexts[connections];
    if (next) server.setSecureContext(next);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    endpoint: `127.0.0.1:${address.port}`,
    names,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

const full = (chain: Chain) => ({ cert: chain.leafPem + chain.intermediatePem, key: chain.keyPem });
const limits = (deadlineMs = 200) => ({ signal: new AbortController().signal, deadlineMs });

function expected(chain: Chain, changes: Partial<Expected> = {}): Expected {
  return {
    protocol: "tls",
    fingerprints: [chain.fingerprintSha256],
    rootPem: chain.rootPem,
    name: nameToProve(chain.sans),
    isNameVerified: true,
    ...changes,
  };
}

test.each([
  [["site.test", "127.0.0.1"], "site.test"],
  [["*.site.test"], "certctl-probe.site.test"],
  [["127.0.0.1"], null],
])("proves a certificate for %j asking for %s", async (sans, asked) => {
  const chain = makeChain({ sans });
  await using server = await serve(full(chain));
  const proof = await prove(server.endpoint, expected(chain), limits(5_000));
  expect(proof).toEqual({ fingerprintSha256: chain.fingerprintSha256, name: asked ?? "127.0.0.1" });
  // A client knows of a handshake's end before its server does.
  await expect.poll(() => server.names).toEqual([asked ?? false, asked ?? false, asked ?? false]);
});

test("wants three handshakes running", async () => {
  const [old, fresh] = [makeChain({ sans: ["site.test"] }), makeChain({ sans: ["site.test"] })];
  await using server = await serve(full(old), full(fresh), full(fresh), full(old), full(fresh));
  await prove(server.endpoint, expected(fresh), limits(5_000));
  expect(server.connections()).toBe(7);
});

test("names another certificate that is served", async () => {
  const [old, fresh] = [makeChain({ sans: ["site.test"] }), makeChain({ sans: ["site.test"] })];
  await using server = await serve(full(old));
  await expect(prove(server.endpoint, expected(fresh), limits())).rejects.toMatchObject({
    part: "certificate",
    served: old.fingerprintSha256,
    message: expect.stringContaining(old.fingerprintSha256),
  });
});

test("says that the served chain is incomplete", async () => {
  const chain = makeChain({ sans: ["site.test"] });
  await using server = await serve({ cert: chain.leafPem, key: chain.keyPem });
  const proof = prove(server.endpoint, expected(chain), limits());
  await expect(proof).rejects.toMatchObject({ part: "chain", served: chain.fingerprintSha256 });
});

test("trusts no other root", async () => {
  const chain = makeChain({ sans: ["site.test"] });
  const { rootPem } = makeChain({ sans: ["site.test"] });
  await using server = await serve(full(chain));
  const proof = prove(server.endpoint, expected(chain, { rootPem }), limits());
  await expect(proof).rejects.toMatchObject({ part: "chain" });
});

test("says that the certificate does not carry the name", async () => {
  const chain = makeChain({ sans: ["site.test"] });
  await using server = await serve(full(chain));
  const proof = prove(server.endpoint, expected(chain, { name: "other.test" }), limits());
  await expect(proof).rejects.toMatchObject({ part: "name" });
});

test("says that nothing answers", async () => {
  const chain = makeChain({ sans: ["site.test"] });
  const proof = prove("127.0.0.1:1", expected(chain), limits());
  await expect(proof).rejects.toMatchObject({
    part: "unreachable",
    served: null,
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

test("stops on a signal with its reason", async () => {
  const stop = new AbortController();
  const chain = makeChain({ sans: ["site.test"] });
  const proof = prove("127.0.0.1:1", expected(chain), { signal: stop.signal, deadlineMs: 60_000 });
  stop.abort(new Error("the lease is lost"));
  await expect(proof).rejects.toThrow("the lease is lost");
});

test("finds the name to prove", () => {
  expect(nameToProve(["spiffe://site.test/x", "a@site.test"])).toBeNull();
  expect(nameToProve(["::1", "*.site.test"])).toBe("certctl-probe.site.test");
  expect(serverNameFor("::1")).toBeNull();
});
