import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { caPin } from "../src/x509/pin.ts";
import { makeChain } from "./certificates.ts";
import { stageSystem } from "./stage-system.ts";

test("no byte of a private key crosses the wire in a renewal", async () => {
  await using staged = await stageSystem();
  const { system } = staged;
  await using tap = await startTap(system.url, system.ca);
  const { body: created } = await system.rest("POST", "/api/v1/agents", { id: "ag-tapped", name: "tapped" });
  await using agent = await system.startAgent("ag-tapped", {
    env: { CERTCTL_SERVER_URL: tap.url, CERTCTL_API_KEY: created.api_key, CERTCTL_CA_PIN: tap.pin },
    isJoining: false,
  });
  const certificate = {
    id: "mc-tapped",
    name: "tapped",
    common_name: "tapped.example.test",
    agent_id: "ag-tapped",
  };
  await system.rest("POST", "/api/v1/certificates", certificate);
  for (let round = 0; round < 2; round += 1)
    expect(await system.renew("mc-tapped")).toMatchObject({ outcome: "Issued" });

  const recorded = tap.recorded();
  // The tap hears what is said: the CSRs went through it in the clear.
  expect(recorded.includes("BEGIN CERTIFICATE REQUEST")).toBe(true);
  const keyDir = join(agent.stateDir, "keys");
  const keys = (await readdir(keyDir)).filter((name) => name.endsWith(".key"));
  expect(keys).toHaveLength(2);
  for (const name of keys) {
    for (const form of formsOf(await readFile(join(keyDir, name), "utf8")))
      expect(recorded.includes(form)).toBe(false);
  }
  expect(recorded.includes("PRIVATE KEY")).toBe(false);
});

/** Every way in which the secret part of a key could be written. */
function formsOf(keyPem: string): Buffer[] {
  const key = createPrivateKey(keyPem);
  const { d = "" } = key.export({ format: "jwk" });
  const secret = Buffer.from(d, "base64url");
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const body = pkcs8.toString("base64");
  expect(secret.length).toBe(32);
  return [
    secret,
    Buffer.from(secret.toString("hex")),
    Buffer.from(secret.toString("hex").toUpperCase()),
    Buffer.from(secret.toString("base64").slice(0, -2)),
    Buffer.from(d),
    Buffer.from(body),
    Buffer.from(body.slice(0, 64)).subarray(40),
  ];
}

/** Ends TLS on both sides between an agent and the control plane and records what they say. */
async function startTap(serverUrl: string, ca: string) {
  const chain = makeChain({ sans: ["localhost"] });
  const parts: Buffer[] = [];
  const sockets = new Set<TLSSocket>();
  const upstream = new URL(serverUrl);
  const tap = createServer({
    cert: chain.leafPem + chain.intermediatePem,
    key: chain.keyPem,
    ALPNProtocols: ["h2", "http/1.1"],
  });
  tap.on("secureConnection", (agent) => {
    agent.on("error", () => agent.destroy());
    sockets.add(agent);
    if (agent.alpnProtocol !== "h2") return answerTrustBundle(agent, chain.rootPem);
    const server = connect({
      host: "127.0.0.1",
      port: Number(upstream.port),
      servername: "localhost",
      ca,
      ALPNProtocols: ["h2"],
    });
    server.on("error", () => agent.destroy());
    sockets.add(server);
    for (const [from, to] of [
      [agent, server],
      [server, agent],
    ] as const) {
      from.on("data", (part: Buffer) => {
        parts.push(part);
        to.write(part);
      });
      from.on("close", () => to.destroy());
    }
  });
  tap.listen(0, "127.0.0.1");
  await once(tap, "listening");
  const spki = new X509Certificate(chain.rootPem).publicKey.export({ type: "spki", format: "der" });
  return {
    url: `https://localhost:${(tap.address() as AddressInfo).port}`,
    pin: caPin(spki),
    recorded: () => Buffer.concat(parts),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      tap.close();
      await once(tap, "close");
    },
  };
}

/** The tap is the control plane that the agent was told to trust. */
function answerTrustBundle(agent: TLSSocket, rootPem: string): void {
  agent.once("data", () => {
    const body = JSON.stringify({ version: 1, roots_pem: [rootPem] });
    agent.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
  });
}
