import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentWorkService, type WorkItem } from "#gen/certctl/v1/agent_work_pb.ts";
import { openTransport } from "../agent/transport.ts";
import { makeCsr } from "../src/x509/csr.ts";
import { parseSan } from "../src/x509/names.ts";
import { pem } from "../src/x509/pem.ts";
import { type System, startSystem } from "./system.ts";

/** What a dishonest or broken agent may try, by REST, each refused as the contract says. */

let system: System;
let parts: AsyncDisposableStack;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  system = parts.use(await startSystem());
});

afterAll(() => parts.disposeAsync());

interface KeyedAgent {
  id: string;
  apiKey: string;
  /** Opens a work stream and waits for one job on it. */
  nextJob(): Promise<WorkItem>;
}

async function registerAgent(id: string): Promise<KeyedAgent> {
  const { body } = await system.rest("POST", "/api/v1/agents", { id, name: id });
  const link = parts.use(
    openTransport({ server: new URL(system.url), rootsPem: [system.ca], apiKey: body.api_key }),
  );
  const client = createClient(AgentWorkService, link.transport);
  return {
    id,
    apiKey: body.api_key,
    async nextJob() {
      const signal = AbortSignal.timeout(10_000);
      const request = { instanceId: randomUUID(), protocolMin: 1, protocolMax: 1, maxInFlight: 4 };
      for await (const { message } of client.workStream(request, { signal })) {
        if (message.case === "work") return message.value;
      }
      throw new Error("no work came");
    },
  };
}

/** An agent that holds the lease on the issuance of a certificate of its own. */
async function agentWithJob(name: string) {
  const agent = await registerAgent(`ag-${name}`);
  const names = [`${name}.example.test`];
  const certificate = { id: `mc-${name}`, name, common_name: names[0], sans: names, agent_id: agent.id };
  await system.rest("POST", "/api/v1/certificates", certificate);
  await system.rest("POST", `/api/v1/certificates/mc-${name}/renew`, {});
  const { jobId, leaseId } = await agent.nextJob();
  const submit = (csrPem: string, more: Record<string, unknown> = {}, id = agent.id) =>
    system.rest(
      "POST",
      `/api/v1/agents/${id}/csr`,
      { job_id: jobId, lease_id: leaseId, csr_pem: csrPem, ...more },
      { apiKey: agent.apiKey },
    );
  return { agent, names, jobId, leaseId, submit };
}

function csrFor(names: readonly string[]): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return pem("CERTIFICATE REQUEST", makeCsr(privateKey, names[0] ?? "", names.map(parseSan)));
}

async function inDatabase(sql: string, values: unknown[]): Promise<void> {
  const client = new Client({ connectionString: system.databaseUrl });
  await client.connect();
  await client.query(sql, values);
  await client.end();
}

describe("the control plane refuses", () => {
  test("a CSR for other names, and says which", async () => {
    const { submit, names } = await agentWithJob("othernames");
    const answer = await submit(csrFor([...names, "bank.example.test"]));
    expect(answer).toMatchObject({
      status: 409,
      body: { code: "failed_precondition", reason: "CSR_MISMATCH" },
    });
    expect(answer.body.message).toContain("bank.example.test");
    expect(answer.body.details).toMatchObject([{ field: "csr_pem" }]);
  });

  test("the lease of another agent", async () => {
    const { jobId, leaseId, names } = await agentWithJob("leaseowner");
    const thief = await registerAgent("ag-thief");
    const body = { job_id: jobId, lease_id: leaseId, csr_pem: csrFor(names) };
    const answer = await system.rest("POST", "/api/v1/agents/ag-thief/csr", body, { apiKey: thief.apiKey });
    expect(answer).toMatchObject({
      status: 409,
      body: { error: "Conflict", code: "aborted", reason: "LEASE_LOST" },
    });
  });

  test("an agent that calls itself by another's name", async () => {
    const { submit, names } = await agentWithJob("mask");
    const answer = await submit(csrFor(names), {}, "ag-somebody");
    expect(answer).toMatchObject({ status: 403, body: { code: "permission_denied" } });
  });

  test("a lease that has ended", async () => {
    const { submit, names, jobId } = await agentWithJob("expired");
    await inDatabase("UPDATE jobs SET lease_expires_at = now() - interval '1 second' WHERE id = $1", [jobId]);
    expect(await submit(csrFor(names))).toMatchObject({ status: 409, body: { reason: "LEASE_LOST" } });
  });

  test("no repeated result: it answers what was stored and changes nothing", async () => {
    const { agent, jobId, leaseId } = await agentWithJob("replay");
    const path = `/api/v1/agents/${agent.id}/jobs/${jobId}/status`;
    const failed = { step: "key", message: "the disk is full", retryable: false };
    const report = () => system.rest("POST", path, { lease_id: leaseId, failed }, { apiKey: agent.apiKey });
    expect(await report()).toMatchObject({ status: 200, body: { status: "Failed" } });
    expect(await report()).toMatchObject({ status: 200, body: { status: "Failed" } });
    const { body: job } = await system.rest("GET", `/api/v1/jobs/${jobId}`);
    expect(job.timeline.filter(({ step }: { step: string }) => step === "failed")).toHaveLength(1);
  });

  test("a second CSR for the same job, but takes the first one again", async () => {
    const { submit, names } = await agentWithJob("twice");
    const csr = csrFor(names);
    expect(await submit(csr)).toMatchObject({ status: 200, body: { status: "accepted" } });
    expect(await submit(csr)).toMatchObject({ status: 200, body: { status: "accepted" } });
    expect(await submit(csrFor(names))).toMatchObject({ status: 409, body: { reason: "CSR_EXISTS" } });
  });

  test("a body of 2 MB", async () => {
    const raw = JSON.stringify({ name: "x".repeat(2_000_000) });
    const answer = await system.rest("POST", "/api/v1/certificates", undefined, { raw });
    expect(answer).toMatchObject({ status: 413, body: { code: "resource_exhausted" } });
  });

  test("an unknown field, naming it and every other mistake", async () => {
    const answer = await system.rest("POST", "/api/v1/certificates", {
      name: "x",
      common_name: 5,
      sanss: [],
    });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_argument" } });
    expect(answer.body.details.map(({ field }: { field: string }) => field).sort()).toEqual([
      "common_name",
      "sanss",
    ]);
  });

  test("a NUL in any text, be it asked for by a list or by a stream", async () => {
    for (const path of ["certificates?q=a%00b", "audit/export?actor=a%00b", "jobs/watch?agent_id=a%00b"]) {
      const answer = await system.rest("GET", `/api/v1/${path}`);
      expect(answer).toMatchObject({
        status: 400,
        body: { details: [{ description: expect.stringContaining("NUL") }] },
      });
    }
  });

  test("half a surrogate pair and a NUL in a configuration, as values and as names", async () => {
    for (const [text, word] of [
      ["\ud800", "surrogate"],
      ["a\0b", "NUL"],
    ] as const) {
      for (const more of [{ username: text }, { [text]: "x" }]) {
        const config = { host: "mail.example.test", from: "a@example.test", ...more };
        const wanted = { name: "odd", kind: "email", config };
        const answer = await system.rest("POST", "/api/v1/notifiers", wanted);
        const details = [
          { field: expect.stringMatching(/^config/), description: expect.stringContaining(word) },
        ];
        expect(answer).toMatchObject({ status: 400, body: { details } });
      }
    }
  });

  test("a time that no calendar of the database has", async () => {
    const expires_at = "9999-12-31T23:59:59.9999Z";
    const wanted = { name: "forever", role: "viewer", expires_at };
    const field = [{ field: "expires_at" }];
    const made = await system.rest("POST", "/api/v1/api-keys", wanted);
    expect(made).toMatchObject({ status: 400, body: { details: field } });
    const { body } = await system.rest("POST", "/api/v1/api-keys", { name: "short", role: "viewer" });
    const set = await system.rest("POST", `/api/v1/api-keys/${body.id}/expire`, { expires_at });
    expect(set).toMatchObject({ status: 400, body: { details: field } });
  });

  test("an id of the wrong form, and one that does not exist", async () => {
    const wrong = { id: "certificate-1", name: "x", common_name: "x.example.test" };
    const answer = await system.rest("POST", "/api/v1/certificates", wrong);
    expect(answer).toMatchObject({ status: 400, body: { details: [{ field: "id" }] } });
    expect(await system.rest("GET", "/api/v1/certificates/mc-nothing")).toMatchObject({
      status: 404,
      body: { error: "Not Found", code: "not_found", message: "certificate mc-nothing does not exist" },
    });
  });

  test("a call without a credential, with a wrong one, and with one of the wrong kind", async () => {
    const path = "/api/v1/certificates";
    const none = await system.rest("GET", path, undefined, { apiKey: null });
    expect(none).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } });
    const wrong = `${system.adminKey.slice(0, -2)}zz`;
    expect(await system.rest("GET", path, undefined, { apiKey: wrong })).toMatchObject({ status: 401 });
    const agent = await registerAgent("ag-curious");
    expect(await system.rest("GET", path, undefined, { apiKey: agent.apiKey })).toMatchObject({
      status: 403,
    });
    const heartbeat = await system.rest("POST", "/api/v1/agents/ag-curious/heartbeat", {});
    expect(heartbeat).toMatchObject({ status: 403 });
  });
});
