import { X509Certificate } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { DemoKeyService } from "#gen/certctl/v1/demo_keys_pb.ts";
import { probe } from "../src/targets/probe.ts";
import { stageSystem } from "./stage-system.ts";
import type { System } from "./system.ts";

/** Keys that the control plane makes, for demonstrations: a real agent, a real nginx. */

const callFetchKey = (system: System) =>
  createClient(
    DemoKeyService,
    createConnectTransport({
      baseUrl: system.url,
      httpVersion: "2",
      nodeOptions: { ca: system.ca },
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", `Bearer ${system.adminKey}`);
          return next(request);
        },
      ],
    }),
  ).fetchKey({ jobId: "job-none", leaseId: "none" });

test("an agent that accepts them takes a key of the control plane, once, and deploys with it", async () => {
  await using staged = await stageSystem({
    env: { CERTCTL_KEYGEN_MODE: "server" },
    agentEnv: { CERTCTL_ACCEPT_SERVER_KEYS: "true" },
  });
  const { system, certificateId, nginx, serverName } = staged;
  expect(system.server().said("stderr")).toContain("CERTCTL_KEYGEN_MODE is server");
  const job = await system.renew(certificateId);
  expect(job).toMatchObject({ outcome: "Proven" });
  const made = job.timeline.find(({ step }: { step: string }) => step === "key_generated");
  expect(made.message).toBe("RSA-2048, by the control plane");
  const { leaf } = await probe(nginx.endpoint, {
    serverName,
    rootPem: null,
    signal: AbortSignal.timeout(5_000),
  });
  expect(new X509Certificate(leaf.raw).publicKey.asymmetricKeyType).toBe("rsa");
  await expect(callFetchKey(system)).rejects.toThrow("only agents may call this");
});

test("an agent that was not told to accepts none, and says how", async () => {
  await using staged = await stageSystem({ env: { CERTCTL_KEYGEN_MODE: "server" } });
  const job = await staged.system.renew(staged.certificateId);
  expect(job.outcome).toBe("NotProven");
  const failure = job.timeline.find(({ step }: { step: string }) => step === "failed");
  expect(failure.message).toContain("CERTCTL_ACCEPT_SERVER_KEYS");
});

test("without the demonstration's mode the service does not exist", async () => {
  await using staged = await stageSystem();
  await expect(callFetchKey(staged.system)).rejects.toThrow("not_found");
});
