import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { issuers } from "../src/issuers/registry.ts";
import { targets } from "../src/targets/registry.ts";
import { type System, startSystem } from "./system.ts";

/** Every resource by REST, as curl sees it. */

let parts: AsyncDisposableStack;
let system: System;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  system = parts.use(await startSystem());
  await system.rest("POST", "/api/v1/agents", { id: "ag-one", name: "one" });
});

afterAll(() => parts.disposeAsync());

const call = (method: string, path: string, body?: unknown) => system.rest(method, `/api/v1${path}`, body);

test("health and readiness answer without a credential, an unknown path says where the API is", async () => {
  const open = (path: string) => system.rest("GET", path, undefined, { apiKey: null });
  expect(await open("/health")).toMatchObject({ status: 200, body: { status: "ok" } });
  expect(await open("/ready")).toMatchObject({ status: 200, body: { status: "ready" } });
  expect(await open("/nothing")).toMatchObject({ status: 404, body: { code: "not_found" } });
});

test("every answer carries a request id and the security headers", async () => {
  const { headers } = await call("GET", "/certificates");
  expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers).toMatchObject({
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
});

test("a target is declared, changed, used, and archived when nothing uses it", async () => {
  const wanted = { id: "tgt-a", name: "a", kind: "nginx", agent_id: "ag-one", config: { entry: "site" } };
  const created = await call("POST", "/targets", wanted);
  expect(created).toMatchObject({
    status: 201,
    headers: { location: "/api/v1/targets/tgt-a" },
    body: wanted,
  });
  const again = await call("POST", "/targets", { ...wanted, name: "another" });
  expect(again).toMatchObject({ status: 409, body: { code: "already_exists" } });
  const sameName = await call("POST", "/targets", { ...wanted, id: "tgt-another" });
  expect(sameName).toMatchObject({
    status: 409,
    body: { reason: "NAME_TAKEN", details: [{ field: "name" }] },
  });
  const changed = { name: "a2", config: { entry: "site", server_name: "a.example.test" } };
  expect(await call("PUT", "/targets/tgt-a", changed)).toMatchObject({ status: 200, body: changed });

  await call("POST", "/certificates", {
    id: "mc-a",
    name: "a",
    common_name: "a.example.test",
    target_ids: ["tgt-a"],
  });
  expect(await call("DELETE", "/targets/tgt-a")).toMatchObject({ status: 409, body: { reason: "IN_USE" } });
  expect(await call("DELETE", "/certificates/mc-a")).toMatchObject({ status: 204, body: "" });
  expect(await call("DELETE", "/targets/tgt-a")).toMatchObject({ status: 204 });
  const { body: archived } = await call("GET", "/targets/tgt-a");
  expect(archived.archived_at).not.toBeNull();
  const { body: list } = await call("GET", "/targets");
  expect(list.data.map(({ id }: { id: string }) => id)).not.toContain("tgt-a");
});

test("a target's kind and configuration are checked, every mistake named", async () => {
  const wrong = { name: "w", agent_id: "ag-one", config: { entry: "../etc", sudo: true } };
  const answer = await call("POST", "/targets", { ...wrong, kind: "nginx" });
  expect(answer.status).toBe(400);
  expect(answer.body.details.map(({ field }: { field: string }) => field)).toEqual([
    "config.entry",
    "config",
  ]);
  expect(await call("POST", "/targets", { ...wrong, kind: "toaster" })).toMatchObject({
    status: 400,
    body: { details: [{ field: "kind" }] },
  });
  const byType = { name: "typed", type: "files", agent_id: "ag-one", config: { entry: "site" } };
  expect(await call("POST", "/targets", byType)).toMatchObject({ status: 201, body: { kind: "files" } });
});

test("certificates are listed by page and by status", async () => {
  for (const name of ["p1", "p2", "p3"]) {
    await call("POST", "/certificates", {
      id: `mc-${name}`,
      name,
      common_name: `${name}.example.test`,
      agent_id: "ag-one",
    });
  }
  const first = await call("GET", "/certificates?per_page=2");
  expect(first.body).toMatchObject({ total: 3, page: 1, per_page: 2 });
  const second = await call("GET", "/certificates?per_page=2&page=2");
  const ids = [...first.body.data, ...second.body.data].map(({ id }: { id: string }) => id);
  expect(ids.sort()).toEqual(["mc-p1", "mc-p2", "mc-p3"]);
  expect((await call("GET", "/certificates?status=Archived")).body.data).toMatchObject([{ id: "mc-a" }]);
  expect((await call("GET", "/certificates?status=Active")).body).toMatchObject({ data: [], total: 0 });
  expect(await call("GET", "/certificates?status=Sleepy")).toMatchObject({ status: 400 });
  expect(await call("GET", "/certificates?per_page=501")).toMatchObject({ status: 400 });
});

test("a certificate's declaration is replaced whole, and says its defaults", async () => {
  const created = await call("POST", "/certificates", {
    id: "mc-d",
    name: "d",
    common_name: "D.example.test.",
    sans: ["10.0.0.7"],
  });
  expect(created.body).toMatchObject({
    common_name: "d.example.test",
    sans: ["d.example.test", "10.0.0.7"],
    issuer_id: "iss-local",
    key_algorithm: "ECDSA-P256",
    validity_seconds: 46 * 86_400,
    status: "Pending",
    expires_at: null,
  });
  const changed = {
    name: "d2",
    common_name: "e.example.test",
    key_algorithm: "RSA-2048",
    validity_seconds: 86_400,
  };
  expect(await call("PUT", "/certificates/mc-d", changed)).toMatchObject({
    status: 200,
    body: { ...changed, sans: ["e.example.test"] },
  });
  expect(await call("POST", "/certificates/mc-d/renew")).toMatchObject({
    status: 409,
    body: { reason: "NO_KEY_AGENT", details: [{ field: "target_ids" }, { field: "agent_id" }] },
  });
});

test("a certificate's status is computed, and no write sets it", async () => {
  const wanted = { name: "d3", common_name: "e.example.test", status: "Active" };
  expect(await call("PUT", "/certificates/mc-d", wanted)).toMatchObject({
    status: 400,
    body: { details: [{ field: "status", description: "unknown field" }] },
  });
  expect((await call("GET", "/certificates/mc-d")).body.status).toBe("Pending");
});

test("agents and join tokens show their secrets once", async () => {
  const agent = await call("POST", "/agents", { name: "two" });
  expect(agent).toMatchObject({
    status: 201,
    body: { name: "two", api_key: expect.stringMatching(/^ak-/), ca_pin: expect.stringMatching(/^sha256:/) },
  });
  const { body: again } = await call("GET", `/agents/${agent.body.id}`);
  expect(again).toMatchObject({ id: agent.body.id, status: "Offline" });
  expect(again).not.toHaveProperty("api_key");

  const token = await call("POST", "/join-tokens", { agent_id: "ag-three" });
  expect(token.body.join).toContain(token.body.token);
  const { body: tokens } = await call("GET", "/join-tokens");
  expect(JSON.stringify(tokens)).not.toContain(token.body.token);
  expect(await call("DELETE", `/join-tokens/${token.body.id}`)).toMatchObject({ status: 204 });
  const csr = { token: token.body.token, csr_pem: "x" };
  expect((await system.rest("POST", "/api/v1/enroll", csr, { apiKey: null })).status).toBe(400);
});

test("issuers and the catalogues of connectors are there to read", async () => {
  const { body: issuer } = await call("GET", "/issuers/iss-local");
  expect(new X509Certificate(issuer.root_pem).subject).toContain("issuing root");
  expect(system.ca).toContain(issuer.root_pem.trim());
  const { body: targetKinds } = await call("GET", "/target-kinds");
  expect(targetKinds.data.map(({ kind }: { kind: string }) => kind)).toEqual(targets.map(({ kind }) => kind));
  expect(targetKinds.data[0].config_schema).toMatchObject({ type: "object", required: ["entry"] });
  const { data: issuerKinds } = (await call("GET", "/issuer-kinds")).body;
  expect(issuerKinds[0]).toMatchObject({ kind: "local-ca", config_schema: { type: "object" } });
  expect(issuerKinds.map(({ kind }: { kind: string }) => kind)).toEqual(issuers.map(({ kind }) => kind));
});
