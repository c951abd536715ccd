import { createHmac, generateKeyPairSync, randomUUID } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentWorkService } from "#gen/certctl/v1/agent_work_pb.ts";
import { openTransport } from "../agent/transport.ts";
import { makeCsr } from "../src/x509/csr.ts";
import { parseSan } from "../src/x509/names.ts";
import { pem } from "../src/x509/pem.ts";
import { startReceiver } from "./receiver.ts";
import { type System, startSystem } from "./system.ts";

/** Faults that other platforms have, each impossible here. The audit's own are in audit-log.test.ts and src/audit. */

let system: System;
const parts = new AsyncDisposableStack();
beforeAll(async () => {
  system = parts.use(await startSystem({ env: { CERTCTL_EGRESS_ALLOW: "127.0.0.0/8, ::1/128" } }));
});
afterAll(() => parts.disposeAsync());

const call = (method: string, path: string, body?: unknown, apiKey = system.adminKey) =>
  system.rest(method, `/api/v1${path}`, body, { apiKey });

function csrFor(...names: string[]): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return pem("CERTIFICATE REQUEST", makeCsr(privateKey, names[0] ?? "", names.map(parseSan)));
}

/** An agent that holds the lease on the issuance of a certificate of its own. */
async function agentWithJob(name: string) {
  const { body: agent } = await call("POST", "/agents", { id: `ag-${name}`, name });
  const names = [`${name}.example.test`];
  await call("POST", "/certificates", { id: `mc-${name}`, name, common_name: names[0], agent_id: agent.id });
  await call("POST", `/certificates/mc-${name}/renew`);
  await using link = openTransport({
    server: new URL(system.url),
    rootsPem: [system.ca],
    apiKey: agent.api_key,
  });
  const client = createClient(AgentWorkService, link.transport);
  const hello = { instanceId: randomUUID(), protocolMin: 1, protocolMax: 1, maxInFlight: 1 };
  for await (const { message } of client.workStream(hello, { signal: AbortSignal.timeout(10_000) })) {
    if (message.case !== "work") continue;
    const { jobId, leaseId } = message.value;
    const speak = (path: string, body: object, as = agent) =>
      call("POST", `/agents/${as.id}${path}`, { lease_id: leaseId, ...body }, agent.api_key);
    return { agent, name: names[0] ?? "", jobId, speak };
  }
  throw new Error("no work came");
}

describe("field note 4: redaction is by the schema, and only on the way out", () => {
  test("a field that is named like a secret is delivered and shown as it was written", async () => {
    await call("POST", "/agents", { id: "ag-keys", name: "keys" });
    const config = { entry: "key_path", server_name: "secret-token-password.example.test" };
    const wanted = { id: "tgt-key", name: "key", kind: "nginx", agent_id: "ag-keys", config };
    expect((await call("POST", "/targets", wanted)).body.config).toEqual(config);
    expect((await call("GET", "/targets/tgt-key")).body.config).toEqual(config);
  });

  test("a secret is masked for every reader, and its connector gets what was entered, even after a mask was written back", async () => {
    await using receiver = await startReceiver();
    const secret = "the secret that was entered";
    const config = { url: `${receiver.url}/hook`, secret, ca: receiver.ca };
    const made = await call("POST", "/notifiers", { id: "nf-mask", name: "mask", kind: "webhook", config });
    const read = await call("GET", "/notifiers/nf-mask");
    expect(read.body.config.secret).toBe("********");
    const written = await call("PUT", "/notifiers/nf-mask", { name: "mask", config: read.body.config });
    expect(written.status).toBe(200);
    const audit = await call("GET", "/audit?resource_id=nf-mask");
    expect(JSON.stringify([made.body, read.body, written.body, audit.body])).not.toContain(secret);
    expect(await call("POST", "/notifiers/nf-mask/test", {})).toMatchObject({ body: { delivered: true } });
    const [sent] = receiver.received;
    const signed = `${sent?.headers["x-certctl-timestamp"]}.${sent?.body}`;
    const signature = createHmac("sha256", secret).update(signed).digest("hex");
    expect(sent?.headers["x-certctl-signature"]).toBe(`v1=${signature}`);
  });
});

describe("field note 5: a job's states have one table, whoever asks", () => {
  test("what a person has cancelled, its agent cannot revive by any report", async () => {
    const { agent, name, jobId, speak } = await agentWithJob("revive");
    expect(await call("POST", `/jobs/${jobId}/cancel`)).toMatchObject({ status: 200 });
    const attempts = [
      speak("/csr", { job_id: jobId, csr_pem: csrFor(name) }),
      speak(`/jobs/${jobId}/status`, { succeeded: { served_fingerprint_sha256: "0".repeat(64) } }),
      speak(`/jobs/${jobId}/status`, { failed: { step: "key", message: "again", retryable: true } }),
    ];
    for (const { status } of await Promise.all(attempts)) expect(status).toBe(409);
    expect((await call("GET", `/jobs/${jobId}`)).body).toMatchObject({ status: "Cancelled" });
    expect((await call("GET", `/certificates/mc-revive/versions`)).body.total).toBe(0);
    expect((await call("POST", `/jobs/${jobId}/retry`, {}, agent.api_key)).status).toBe(403);
  });

  test("of a cancellation and a report at the same moment one wins, and nothing is overwritten", async () => {
    const { jobId, speak } = await agentWithJob("race");
    const failed = { failed: { step: "key", message: "the disk is full", retryable: false } };
    await Promise.all([call("POST", `/jobs/${jobId}/cancel`), speak(`/jobs/${jobId}/status`, failed)]);
    const { body: job } = await call("GET", `/jobs/${jobId}`);
    expect(["Cancelled", "Failed"]).toContain(job.status);
    const ends = job.timeline.filter(({ step }: { step: string }) => ["cancelled", "failed"].includes(step));
    expect(ends).toHaveLength(1);
  });
});

describe("field note 6: an agent is who its credential says", () => {
  test("the id in a path that is another's is refused, and so is another's job", async () => {
    const { agent, name, jobId, speak } = await agentWithJob("honest");
    const { body: thief } = await call("POST", "/agents", { id: "ag-thief", name: "thief" });
    const csr = { job_id: jobId, csr_pem: csrFor(name) };
    expect(await speak("/csr", csr, { ...agent, id: "ag-thief" })).toMatchObject({ status: 403 });
    const stolen = await call("POST", "/agents/ag-thief/csr", csr, thief.api_key);
    expect(stolen).toMatchObject({ status: 409, body: { reason: "LEASE_LOST" } });
    const report = { failed: { step: "key", message: "not mine", retryable: false } };
    const lied = await call("POST", `/agents/ag-thief/jobs/${jobId}/status`, report, thief.api_key);
    expect(lied.status).toBe(409);
  });

  test("a CSR is signed for exactly what the certificate declares", async () => {
    const { name, jobId, speak } = await agentWithJob("exact");
    const refused = [csrFor(name, "bank.example.test"), csrFor("bank.example.test"), csrFor(`*.${name}`)];
    for (const csr_pem of refused) {
      const answer = await speak("/csr", { job_id: jobId, csr_pem });
      expect(answer).toMatchObject({ status: 409, body: { reason: "CSR_MISMATCH" } });
    }
    expect(await speak("/csr", { job_id: jobId, csr_pem: csrFor(name) })).toMatchObject({ status: 200 });
  });
});
