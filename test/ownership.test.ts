import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type System, startSystem } from "./system.ts";

/** Teams, owners and renewal policies by REST, and what they do to certificates. */

let parts: AsyncDisposableStack;
let system: System;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  system = parts.use(await startSystem());
});
afterAll(() => parts.disposeAsync());

const call = (method: string, path: string, body?: unknown) => system.rest(method, `/api/v1${path}`, body);
const idsOf = (body: { data: { id: string }[] }) => body.data.map(({ id }) => id);

const resources = [
  {
    path: "/teams",
    prefix: "t",
    one: { description: "runs the platform", email: "platform@example.test" },
    other: { description: "another", email: "" },
  },
  { path: "/owners", prefix: "o", one: { email: "a@example.test" }, other: { email: "b@example.test" } },
  {
    path: "/renewal-policies",
    prefix: "rp",
    one: { renewal_window_days: 20, auto_renew: false, max_retries: 0, alert_thresholds_days: [14, 3] },
    other: { renewal_window_days: 5, auto_renew: true, max_retries: 2, alert_thresholds_days: [1] },
  },
];

describe.each(resources)("$path", ({ path, prefix, one, other }) => {
  test("are created, read, replaced, archived and restored", async () => {
    const id = `${prefix}-life`;
    const created = await call("POST", path, { id, name: "life", ...one });
    expect(created).toMatchObject({
      status: 201,
      headers: { location: `/api/v1${path}/${id}` },
      body: { id, name: "life", ...one, archived_at: null },
    });
    expect((await call("GET", `${path}/${id}`)).body).toEqual(created.body);
    const replaced = await call("PUT", `${path}/${id}`, { name: "life two", ...other });
    expect(replaced).toMatchObject({ status: 200, body: { id, name: "life two", ...other } });
    expect(await call("DELETE", `${path}/${id}`)).toMatchObject({ status: 204 });
    expect(await call("DELETE", `${path}/${id}`)).toMatchObject({ status: 204 });
    expect((await call("GET", `${path}/${id}`)).body.archived_at).not.toBeNull();
    expect(idsOf((await call("GET", path)).body)).not.toContain(id);
    expect(idsOf((await call("GET", `${path}?archived=true`)).body)).toEqual([id]);
    expect(await call("PUT", `${path}/${id}`, { name: "x", ...other })).toMatchObject({
      status: 409,
      body: { reason: "ARCHIVED" },
    });
    expect(await call("POST", path, { id, name: "again", ...one })).toMatchObject({
      status: 409,
      body: { code: "already_exists" },
    });
    expect(await call("POST", `${path}/${id}/restore`)).toMatchObject({
      status: 200,
      body: { id, archived_at: null },
    });
  });

  test("have a name that is unique among live ones, and no restore takes it back", async () => {
    await call("POST", path, { id: `${prefix}-old`, name: "taken", ...one });
    expect(await call("POST", path, { name: "taken", ...one })).toMatchObject({
      status: 409,
      body: { reason: "NAME_TAKEN", details: [{ field: "name" }] },
    });
    await call("DELETE", `${path}/${prefix}-old`);
    expect(await call("POST", path, { id: `${prefix}-new`, name: "taken", ...one })).toMatchObject({
      status: 201,
    });
    expect(await call("POST", `${path}/${prefix}-old/restore`)).toMatchObject({
      status: 409,
      body: { reason: "NAME_TAKEN" },
    });
  });

  test("are found by part of the name, sorted, and walked by cursor", async () => {
    for (const name of ["list-b", "list-a", "list-c"])
      await call("POST", path, { id: `${prefix}-${name}`, name, ...one });
    const { body } = await call("GET", `${path}?q=LIST-&sort=name&per_page=2`);
    expect(body).toMatchObject({ total: 3, page: 1, per_page: 2 });
    expect(idsOf(body)).toEqual([`${prefix}-list-a`, `${prefix}-list-b`]);
    const next = await call("GET", `${path}?q=LIST-&per_page=2&cursor=${body.next_cursor}`);
    expect(idsOf(next.body)).toEqual([`${prefix}-list-c`]);
    expect(next.body.next_cursor).toBe("");
    expect(await call("GET", `${path}?sort=password`)).toMatchObject({
      status: 400,
      body: { details: [{ field: "sort" }] },
    });
  });

  test("that do not exist are 404, and bad input is named", async () => {
    for (const [method, at] of [
      ["GET", ""],
      ["PUT", ""],
      ["DELETE", ""],
      ["POST", "/restore"],
    ] as const) {
      const body = method === "PUT" ? { name: "x", ...one } : undefined;
      expect((await call(method, `${path}/${prefix}-none${at}`, body)).status, method).toBe(404);
    }
    const wrong = await call("POST", path, { id: "x-1", name: "", ...one, extra: 1 });
    expect(wrong).toMatchObject({ status: 400, body: { details: [{ field: "extra" }] } });
    const invalid = await call("POST", path, { id: "x-1", name: "", ...one });
    expect(invalid.body.details.map(({ field }: { field: string }) => field)).toEqual(["id", "name"]);
  });
});

describe("certificates", () => {
  const declare = (id: string, more: object) =>
    call("POST", "/certificates", { id, name: id, common_name: `${id}.example.test`, ...more });

  beforeAll(async () => {
    await call("POST", "/teams", { id: "t-web", name: "web" });
    await call("POST", "/teams", { id: "t-other", name: "other" });
    await call("POST", "/owners", {
      id: "o-alice",
      name: "alice",
      email: "alice@example.test",
      team_id: "t-web",
    });
    await call("POST", "/renewal-policies", { id: "rp-slow", name: "slow" });
    const alice = { owner_id: "o-alice", renewal_policy_id: "rp-slow" };
    await declare("mc-owned", { ...alice, environment: "production", tags: { tier: "1", pci: "yes" } });
    await declare("mc-other", { owner_id: "o-alice", team_id: "t-other", tags: { tier: "2" } });
  });

  test("belong to their owner's team unless they name another, and to the default policy", async () => {
    expect((await call("GET", "/certificates/mc-owned")).body).toMatchObject({
      owner_id: "o-alice",
      team_id: "t-web",
      renewal_policy_id: "rp-slow",
      environment: "production",
      tags: { tier: "1", pci: "yes" },
      schedule: null,
    });
    expect((await call("GET", "/certificates/mc-other")).body).toMatchObject({
      team_id: "t-other",
      renewal_policy_id: "rp-default",
    });
  });

  test.each([
    ["owner_id=o-alice", ["mc-other", "mc-owned"]],
    ["team_id=t-web", ["mc-owned"]],
    ["environment=production", ["mc-owned"]],
    ["renewal_policy_id=rp-slow", ["mc-owned"]],
    ["tag=tier", ["mc-other", "mc-owned"]],
    ["tag=tier%3D2", ["mc-other"]],
    ["tag=tier&tag=pci%3Dyes", ["mc-owned"]],
    ["q=OWNED", ["mc-owned"]],
    ["issuer_id=iss-none", []],
    ["agent_id=ag-none", []],
    ["expires_before=2999-01-01T00:00:00Z", []],
    ["status=Pending&sort=name", ["mc-other", "mc-owned"]],
  ])("are found by %s", async (query, ids) => {
    const { body } = await call("GET", `/certificates?${query}`);
    expect(idsOf(body).sort()).toEqual(ids);
    expect(body.total).toBe(ids.length);
  });

  test("hold their team, owner and policy: 409 with the counts, until they are archived", async () => {
    expect(await call("DELETE", "/teams/t-web")).toMatchObject({
      status: 409,
      body: {
        reason: "IN_USE",
        message: "team t-web is in use by 1 owner, 1 certificate",
        details: [
          { field: "owners", description: "1" },
          { field: "certificates", description: "1" },
        ],
      },
    });
    expect((await call("GET", "/teams/t-web")).body).toMatchObject({ owner_count: 1, certificate_count: 1 });
    expect(await call("DELETE", "/owners/o-alice")).toMatchObject({
      status: 409,
      body: { details: [{ field: "certificates", description: "2" }] },
    });
    expect((await call("DELETE", "/renewal-policies/rp-slow")).status).toBe(409);
    expect(await call("DELETE", "/renewal-policies/rp-default")).toMatchObject({
      status: 409,
      body: { reason: "DEFAULT_POLICY" },
    });
    for (const id of ["mc-owned", "mc-other"]) await call("DELETE", `/certificates/${id}`);
    expect((await call("DELETE", "/owners/o-alice")).status).toBe(204);
    expect((await call("DELETE", "/teams/t-web")).status).toBe(204);
    expect((await call("GET", "/certificates/mc-owned")).body).toMatchObject({
      team_id: "t-web",
      owner_id: "o-alice",
    });
    const refused = await call("POST", "/certificates/mc-owned/restore");
    expect(refused).toMatchObject({ status: 409, body: { reason: "REFERENCE_ARCHIVED" } });
    expect(refused.body.message).toMatch(/: o-alice, t-web$/);
    expect((await call("POST", "/owners/o-alice/restore")).status).toBe(409);
    for (const path of ["/teams/t-web", "/owners/o-alice", "/certificates/mc-owned"])
      expect((await call("POST", `${path}/restore`)).status, path).toBe(200);
  });

  test("name every reference that does not exist", async () => {
    const answer = await declare("mc-lost", {
      owner_id: "o-none",
      team_id: "t-none",
      renewal_policy_id: "rp-none",
    });
    expect(answer.status).toBe(400);
    expect(answer.body.details.map(({ field }: { field: string }) => field)).toEqual([
      "owner_id",
      "team_id",
      "renewal_policy_id",
    ]);
  });
});

test("the scheduler shows its tasks, and runs one when it is asked to", async () => {
  const find = async () =>
    (await call("GET", "/scheduler")).body.data.find(({ name }: { name: string }) => name === "jobs");
  const before = await find();
  expect(before).toMatchObject({ interval_seconds: 30, last_error: "" });
  expect(await call("POST", "/scheduler/jobs/run")).toMatchObject({
    status: 202,
    body: { status: "accepted" },
  });
  await expect.poll(async () => (await find()).runs).toBeGreaterThan(before.runs);
  expect((await find()).last_result).toMatch(/leases taken back/);
  expect((await call("POST", "/scheduler/none/run")).status).toBe(404);
});
