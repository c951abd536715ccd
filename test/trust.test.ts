import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { AgentWorkService } from "#gen/certctl/v1/agent_work_pb.ts";
import { openTransport } from "../agent/transport.ts";
import { pinnedRoot } from "../agent/trust.ts";
import { agentUri } from "../src/agents/identity.ts";
import { authorityPem } from "../src/authorities/authority.ts";
import { leafContent } from "../src/authorities/leaf.ts";
import { openAuthorities } from "../src/authorities/store.ts";
import { openDatabase } from "../src/platform/database.ts";
import { createSealer } from "../src/platform/seal.ts";
import { signCertificate, tbsCertificate } from "../src/x509/certificate.ts";
import { extendedKeyUsage } from "../src/x509/extensions.ts";
import { spkiOf } from "../src/x509/keys.ts";
import { pem } from "../src/x509/pem.ts";
import { caPin } from "../src/x509/pin.ts";
import { stageSystem } from "./stage-system.ts";
import type { System } from "./system.ts";

test("a customer's certificate is neither an agent nor the control plane, whatever it says", async () => {
  await using staged = await stageSystem();
  const { system, agent } = staged;
  const { cert, key } = await customersCertificate(system, "ag-web");

  const heartbeat = await system.rest(
    "POST",
    "/api/v1/agents/ag-web/heartbeat",
    {},
    { apiKey: null, cert, key },
  );
  expect(heartbeat).toMatchObject({ status: 401, body: { code: "unauthenticated" } });

  const identity = JSON.parse(await readFile(join(agent.stateDir, "identity.json"), "utf8"));
  const own = { cert: identity.certificatePem, key: identity.keyPem };
  const asAgent = await system.rest("POST", "/api/v1/agents/ag-web/heartbeat", {}, { apiKey: null, ...own });
  expect(asAgent).toMatchObject({ status: 200 });

  await using impostor = await impostorServer(cert, key);
  await using link = openTransport({
    server: impostor.url,
    rootsPem: identity.rootsPem,
    certificate: identity,
  });
  const calling = createClient(AgentWorkService, link.transport).heartbeat({}, { timeoutMs: 5_000 });
  await expect(calling).rejects.toThrow(/certificate/i);
  expect(impostor.requests()).toBe(0);
});

test("an agent sends its token to nobody whose root is not the pinned one", async () => {
  await using staged = await stageSystem();
  const pin = caPin(new X509Certificate(staged.system.ca).publicKey.export({ type: "spki", format: "der" }));
  const other = pin.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
  const signal = AbortSignal.timeout(10_000);
  await expect(pinnedRoot(new URL(staged.system.url), other, signal)).rejects.toThrow(/nothing was sent/);
  const root = await pinnedRoot(new URL(staged.system.url), pin, signal);
  expect(new X509Certificate(root).subject).toContain("system root");
});

/** A leaf of the CA for customers with every usage, under the names of the control plane and of an agent. */
async function customersCertificate(system: System, agentId: string): Promise<{ cert: string; key: string }> {
  await using database = openDatabase(system.databaseUrl, () => {});
  const { byRole, trustDomain } = await openAuthorities(
    database.db,
    createSealer(system.encryptionKey),
    new Date(),
  );
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuingCa = byRole["issuing-ca"];
  const content = leafContent(issuingCa, {
    commonName: agentId,
    sans: [
      { type: "dns", value: "localhost" },
      { type: "uri", value: agentUri(trustDomain, agentId) },
    ],
    spki: spkiOf(privateKey),
    isRsa: false,
    usages: [extendedKeyUsage.serverAuth, extendedKeyUsage.clientAuth],
    validitySeconds: 86_400,
    now: new Date(),
  });
  const der = signCertificate(tbsCertificate(content, issuingCa.key), issuingCa.key);
  return {
    cert: pem("CERTIFICATE", der) + authorityPem(issuingCa),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

async function impostorServer(cert: string, key: string) {
  let requests = 0;
  const server = createSecureServer({ cert, key }, (_request, response) => {
    requests += 1;
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: new URL(`https://localhost:${(server.address() as AddressInfo).port}`),
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
