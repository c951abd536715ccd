import { afterAll, beforeAll, expect, test } from "vitest";
import { type System, startSystem } from "./system.ts";

/** Policy rules by REST, and what they do to certificates. */

let parts: AsyncDisposableStack;
let system: System;
beforeAll(async () => {
  parts = new AsyncDisposableStack();
  system = parts.use(await startSystem());
});
afterAll(() => parts.disposeAsync());

const call = (method: string, path: string, body?: unknown) => system.rest(method, `/api/v1${path}`, body);
const declare = (name: string, more: object = {}) =>
  call("POST", "/certificates", { id: `mc-${name}`, name, common_name: `${name}.example.test`, ...more });
const idsOf = (body: { data: { id: string }[] }) => body.data.map(({ id }) => id);

const domains = {
  name: "domains",
  type: "AllowedDomains",
  config: { allowed_domains: ["*.example.test"] },
  severity: "Critical",
  mode: "enforce",
};

test("a rule is made, read, replaced, archived and restored", async () => {
  const created = await call("POST", "/policies", { id: "pr-domains", ...domains });
  expect(created).toMatchObject({
    status: 201,
    headers: { location: "/api/v1/policies/pr-domains" },
    body: { id: "pr-domains", ...domains, enabled: true, open_violations: 0, archived_at: null },
  });
  const { type: _type, ...wanted } = { ...domains, name: "names", enabled: false };
  expect(await call("PUT", "/policies/pr-domains", wanted)).toMatchObject({ status: 200, body: wanted });
  expect((await call("GET", "/policies?enabled=false&mode=enforce&severity=Critical")).body.total).toBe(1);
  expect((await call("GET", "/policies?type=AllowedIssuers")).body.total).toBe(0);
  expect((await call("GET", "/policies?mode=audit")).body.total).toBe(0);
  expect((await call("GET", "/policies?severity=Warning&q=names")).body.total).toBe(0);
  expect((await call("DELETE", "/policies/pr-domains")).status).toBe(204);
  expect(idsOf((await call("GET", "/policies")).body)).toEqual([]);
  expect(idsOf((await call("GET", "/policies?archived=true")).body)).toEqual(["pr-domains"]);
  expect((await call("PUT", "/policies/pr-domains", wanted)).body.reason).toBe("ARCHIVED");
  expect((await call("POST", "/policies/pr-domains/restore")).body.archived_at).toBeNull();
  expect((await call("POST", "/policies", { ...domains, name: "names" })).body.reason).toBe("NAME_TAKEN");
  expect((await call("GET", "/policies/pr-none")).status).toBe(404);
});

test("a rule's mistakes are all named", async () => {
  const wrong = await call("POST", "/policies", {
    ...domains,
    config: { allowed_domains: ["*", "a b"], x: 1 },
  });
  expect(wrong.status).toBe(400);
  expect(wrong.body.details.map(({ field }: { field: string }) => field).sort()).toEqual([
    "config",
    "config.allowed_domains.0",
    "config.allowed_domains.1",
  ]);
  const issuers = {
    ...domains,
    type: "AllowedIssuers",
    config: { allowed_issuer_ids: ["iss-local", "iss-no"] },
  };
  expect(await call("POST", "/policies", issuers)).toMatchObject({
    status: 400,
    body: { details: [{ field: "config.allowed_issuer_ids[1]" }] },
  });
  expect(await call("POST", "/policies", { ...domains, type: "Mood" })).toMatchObject({
    status: 400,
    body: { details: [{ field: "type" }] },
  });
  expect((await call("POST", "/policies", { ...domains, mode: "ask" })).status).toBe(400);
});

test("an enforced rule refuses what violates it, an audited one records it, and a dry run says both before", async () => {
  await declare("inside");
  await declare("outside", { sans: ["other.example"] });
  const { type, config } = domains;
  expect(await call("POST", "/policies/dry-run", { type, config })).toMatchObject({
    status: 200,
    body: {
      checked: 2,
      violating: 1,
      examples: [{ certificate_id: "mc-outside", certificate_name: "outside" }],
    },
  });
  await call("POST", "/policies", { id: "pr-live", ...domains });
  const refused = await declare("refused", { sans: ["other.example"] });
  expect(refused).toMatchObject({
    status: 409,
    body: { reason: "POLICY_VIOLATION", details: [{ field: "sans" }] },
  });
  expect(refused.body.message).toContain("domains (pr-live)");
  const open = async (query: string) => (await call("GET", `/policies/violations?open=true&${query}`)).body;
  await expect.poll(async () => (await open("rule_id=pr-live")).total).toBe(1);
  const { data } = await open("rule_id=pr-live");
  expect(data).toMatchObject([
    {
      rule_id: "pr-live",
      rule_name: "domains",
      certificate_id: "mc-outside",
      certificate_name: "outside",
      severity: "Critical",
      closed_at: null,
    },
  ]);
  expect((await call("GET", "/policies/pr-live")).body.open_violations).toBe(1);
  for (const query of ["certificate_id=mc-outside", "severity=Critical", "q=OTHER.example", "sort=-severity"])
    expect((await open(query)).total, query).toBe(1);
  for (const query of ["certificate_id=mc-inside", "severity=Warning", "q=nothing", "rule_id=pr-domains"])
    expect((await open(query)).total, query).toBe(0);
  await call("PUT", "/certificates/mc-outside", { name: "outside", common_name: "outside.example.test" });
  expect((await open("rule_id=pr-live")).total).toBe(0);
  const closed = await call("GET", "/policies/violations?open=false");
  expect(closed.body.data).toMatchObject([{ certificate_id: "mc-outside", closed_at: expect.any(String) }]);
});

test("the types of rule say how they are configured", async () => {
  const { body } = await call("GET", "/policy-types");
  expect(body.data).toHaveLength(6);
  expect(body.data[1]).toMatchObject({
    type: "AllowedDomains",
    config_schema: { type: "object", required: ["allowed_domains"] },
  });
});
