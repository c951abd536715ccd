import { generateKeyPairSync, randomUUID } from "node:crypto";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentWorkService, Drain_Reason } from "#gen/certctl/v1/agent_work_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { openTransport } from "../agent/transport.ts";
import { makeCsr } from "../src/x509/csr.ts";
import { pem } from "../src/x509/pem.ts";
import type { RestAnswer } from "./rest.ts";
import { type System, startSystem } from "./system.ts";

/** Who may do what, by REST and RPC over real connections. */

let system: System;
const parts = new AsyncDisposableStack();

beforeAll(async () => {
  system = parts.use(await startSystem());
  await system.rest("POST", "/api/v1/agents", { id: "ag-one", name: "one" });
});
afterAll(() => parts.disposeAsync());

const call = (method: string, path: string, body?: unknown, apiKey = system.adminKey) =>
  system.rest(method, `/api/v1${path}`, body, { apiKey });

async function newKey(wanted: Record<string, unknown>): Promise<{ id: string; api_key: string }> {
  const answer = await call("POST", "/api-keys", { name: "k", ...wanted });
  expect(answer).toMatchObject({ status: 201, headers: { location: `/api/v1/api-keys/${answer.body.id}` } });
  return answer.body;
}

describe("a role", () => {
  const calls = {
    "reads certificates": ["GET", "/certificates"],
    "declares certificates": ["POST", "/certificates", {}],
    "registers agents": ["POST", "/agents", {}],
    "reads keys": ["GET", "/api-keys"],
    "makes keys": ["POST", "/api-keys", {}],
  } as const;
  const allowed: Record<string, (keyof typeof calls)[]> = {
    admin: ["reads certificates", "declares certificates", "registers agents", "reads keys", "makes keys"],
    operator: ["reads certificates", "declares certificates", "registers agents"],
    viewer: ["reads certificates"],
    auditor: [],
  };

  test.each(Object.entries(allowed))("%s may do %j", async (role, may) => {
    const { api_key: key } = await newKey({ role });
    for (const [name, [method, path, body]] of Object.entries(calls)) {
      const { status } = await call(method, path, body, key);
      const expected = may.includes(name as keyof typeof calls) ? [200, 400] : [403];
      expect(expected, `${role} ${name}`).toContain(status);
    }
  });
});

describe("an API key", () => {
  test("shows its secret once, is listed without it, and its use is noted", async () => {
    const created = await newKey({ name: "ci", role: "viewer", expires_at: "2099-01-01T00:00:00Z" });
    expect(created).toMatchObject({ name: "ci", role: "viewer", expires_at: "2099-01-01T00:00:00Z" });
    expect(created.api_key).toMatch(new RegExp(`^${created.id}_`));
    await call("GET", "/certificates", undefined, created.api_key);
    const { body: read } = await call("GET", `/api-keys/${created.id}`);
    expect(read).toMatchObject({ status: "Active", last_used_at: expect.stringMatching(/^20/) });
    const { body: list } = await call("GET", "/api-keys?role=viewer&per_page=500");
    expect(list.data.map(({ id }: { id: string }) => id)).toContain(created.id);
    expect(JSON.stringify([read, list])).not.toContain(created.api_key.slice(-43));
  });

  test("is rotated, expired and revoked, each at once", async () => {
    const { id, api_key: first } = await newKey({ role: "viewer" });
    const enter = async (key: string) => (await call("GET", "/certificates", undefined, key)).status;
    const rotated = await call("POST", `/api-keys/${id}/rotate`, { overlap_seconds: 3600 });
    expect(rotated).toMatchObject({ status: 200, body: { id } });
    expect([await enter(first), await enter(rotated.body.api_key)]).toEqual([200, 200]);
    const again = await call("POST", `/api-keys/${id}/rotate`, {});
    expect([await enter(first), await enter(rotated.body.api_key)]).toEqual([401, 401]);
    expect(await call("POST", `/api-keys/${id}/expire`)).toMatchObject({
      status: 200,
      body: { status: "Expired" },
    });
    expect(await enter(again.body.api_key)).toBe(401);
    expect(await call("DELETE", `/api-keys/${id}`)).toMatchObject({ status: 204 });
    expect((await call("GET", `/api-keys/${id}`)).body).toMatchObject({ status: "Revoked" });
  });

  test("that was revoked sees nothing more of a stream that it opened", async () => {
    const { id, api_key: apiKey } = await newKey({ role: "viewer" });
    await using link = openTransport({ server: new URL(system.url), rootsPem: [system.ca], apiKey });
    const client = createClient(JobService, link.transport);
    const jobs = client.watchJobs({}, { signal: AbortSignal.timeout(20_000) })[Symbol.asyncIterator]();
    const first = jobs.next();
    const change = async () => {
      const name = `watched-${randomUUID()}`;
      const wanted = { name, common_name: "watched.example.test", agent_id: "ag-one" };
      const { body: certificate } = await call("POST", "/certificates", wanted);
      await call("POST", `/certificates/${certificate.id}/renew`);
    };
    // The subscription begins some time after the call.
    const changes = setInterval(() => void change(), 200);
    expect((await first).value?.job?.status).toBeDefined();
    await call("DELETE", `/api-keys/${id}`);
    const rest = (async () => {
      for (;;) if ((await jobs.next()).done) return "it ended as if nothing were wrong";
    })();
    await expect(rest).rejects.toMatchObject({ code: Code.Unauthenticated });
    clearInterval(changes);
  });

  test("that is the last of an admin is not ended", async () => {
    const id = system.adminKey.split("_")[0];
    const refusal = { status: 409, body: { reason: "LAST_ADMIN_KEY" } };
    const { body } = await call("GET", "/api-keys?role=admin");
    for (const key of body.data) if (key.id !== id) await call("DELETE", `/api-keys/${key.id}`);
    expect(await call("DELETE", `/api-keys/${id}`)).toMatchObject(refusal);
    expect(await call("POST", `/api-keys/${id}/expire`)).toMatchObject(refusal);
  });

  test("of an agent ends the agent's stream when it is revoked", async () => {
    const { id, api_key: apiKey } = await newKey({ role: "agent", agent_id: "ag-one" });
    await using link = openTransport({ server: new URL(system.url), rootsPem: [system.ca], apiKey });
    const client = createClient(AgentWorkService, link.transport);
    const signal = AbortSignal.timeout(10_000);
    const request = { instanceId: randomUUID(), protocolMin: 1, protocolMax: 1, maxInFlight: 1 };
    const seen: string[] = [];
    for await (const { message } of client.workStream(request, { signal })) {
      seen.push(message.case ?? "");
      if (message.case === "welcome") await call("DELETE", `/api-keys/${id}`);
      if (message.case === "drain") expect(message.value.reason).toBe(Drain_Reason.IDENTITY_ENDED);
    }
    expect([seen[0], seen.at(-1)]).toEqual(["welcome", "drain"]);
    const retry = client.heartbeat({ epoch: 1 });
    await expect(retry).rejects.toMatchObject({ code: Code.Unauthenticated });
  });
});

describe("a key that is restricted to an issuer", () => {
  let own: string;
  beforeAll(async () => {
    ({ api_key: own } = await newKey({ role: "operator", issuer_ids: ["iss-local"] }));
  });

  test("reaches its issuer's certificates, and changes nothing that belongs to all", async () => {
    const certificate = { name: "a", common_name: "a.example.test", agent_id: "ag-one" };
    expect(await call("POST", "/certificates", certificate, own)).toMatchObject({ status: 201 });
    expect(await call("GET", "/agents", undefined, own)).toMatchObject({ status: 200 });
    const refused: [string, string, unknown][] = [
      ["POST", "/agents", { name: "mine" }],
      ["POST", "/join-tokens", {}],
      ["POST", "/targets", {}],
    ];
    for (const [method, path, body] of refused)
      expect(await call(method, path, body, own), path).toMatchObject({ status: 403 });
  });
});

describe("too many", () => {
  const many = <T>(count: number, act: () => Promise<T>) => Promise.all(Array.from({ length: count }, act));

  test("calls of one key are answered 429 with Retry-After, by REST and by Connect", async () => {
    await using limited = await startSystem({ env: { CERTCTL_RATE_LIMIT: "0.01", CERTCTL_RATE_BURST: "5" } });
    const answers = await many(7, () => limited.rest("GET", "/api/v1/certificates"));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ body: { code: "resource_exhausted", reason: "THROTTLED" } });
    expect(Number(refused[0]?.headers["retry-after"])).toBeGreaterThan(0);
    const { url, ca, adminKey } = limited;
    await using link = openTransport({ server: new URL(url), rootsPem: [ca], apiKey: adminKey });
    const error = await createClient(CertificateService, link.transport)
      .listCertificates({})
      .then(() => null, ConnectError.from);
    expect(error?.code).toBe(Code.ResourceExhausted);
    expect(Number(error?.metadata.get("retry-after"))).toBeGreaterThan(0);
  });

  test("wrong keys and join tokens close the address to guesses, not to a key that worked", async () => {
    await using limited = await startSystem({ env: { CERTCTL_AUTH_FAILURES_PER_MINUTE: "4" } });
    const guess = () =>
      limited.rest("GET", "/api/v1/certificates", undefined, { apiKey: `ak-guess_${"A".repeat(43)}` });
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const wrongToken = {
      token: `jt-x_${"A".repeat(43)}`,
      csr_pem: pem("CERTIFICATE REQUEST", makeCsr(privateKey, "", [])),
    };
    const join = () => limited.rest("POST", "/api/v1/enroll", wrongToken, { apiKey: null });
    const status = async (answer: Promise<RestAnswer>) => (await answer).status;
    await limited.rest("GET", "/api/v1/certificates");
    const failures: number[] = [];
    for (const attempt of [guess, guess, join, join, guess]) failures.push(await status(attempt()));
    expect(failures).toEqual([401, 401, 401, 401, 429]);
    expect(await join()).toMatchObject({ status: 429, headers: { "retry-after": expect.any(String) } });
    expect(await status(limited.rest("GET", "/api/v1/certificates"))).toBe(200);
  });
});

test("without keys, programs on this machine do everything, as the anonymous admin, and proxies nothing", async () => {
  await using keyless = await startSystem({ env: { CERTCTL_AUTH_TYPE: "none" } });
  expect(keyless.server().said()).toContain("CERTCTL_AUTH_TYPE is none");
  const open = { apiKey: null };
  const created = await keyless.rest("POST", "/api/v1/agents", { id: "ag-x", name: "x" }, open);
  expect(created.status).toBe(201);
  const proxied = { ...open, headers: { "x-forwarded-for": "192.0.2.1" } };
  expect(await keyless.rest("GET", "/api/v1/agents", undefined, proxied)).toMatchObject({
    status: 403,
    body: { message: expect.stringContaining("x-forwarded-for") },
  });
  const wrong = { apiKey: `ak-guess_${"A".repeat(43)}` };
  expect((await keyless.rest("GET", "/api/v1/agents", undefined, wrong)).status).toBe(401);
});
