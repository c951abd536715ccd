import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type System, startSystem } from "./system.ts";

/** Views by REST: whose they are, who may share them, and what they count. */

let system: System;
const parts = new AsyncDisposableStack();
const keys: Record<string, string> = {};

const call = (method: string, path: string, body?: unknown, key = system.adminKey) =>
  system.rest(method, `/api/v1${path}`, body, { apiKey: key });
const views = (method: string, at = "", body?: unknown, key?: string) =>
  call(method, `/saved-views${at}`, body, key);

beforeAll(async () => {
  system = parts.use(await startSystem());
  for (const [name, wanted] of Object.entries({
    viewer: { role: "viewer" },
    other: { role: "viewer" },
    web: { role: "operator", team_ids: ["t-web"] },
  })) {
    if (name === "web") await call("POST", "/teams", { id: "t-web", name: "web" });
    keys[name] = (await call("POST", "/api-keys", { name, ...wanted })).body.api_key;
  }
  for (const [id, more] of Object.entries({ one: { team_id: "t-web" }, two: { environment: "production" } }))
    await call("POST", "/certificates", { id: `mc-${id}`, name: id, common_name: "x.example.test", ...more });
});
afterAll(() => parts.disposeAsync());

const wanted = { name: "never issued", query: "status=Pending", filter: { status: ["Pending"] } };

describe("a saved view", () => {
  test("is created, read, replaced, archived and restored", async () => {
    const created = await views("POST", "", { id: "vw-life", ...wanted, pinned: true });
    expect(created).toMatchObject({
      status: 201,
      body: {
        id: "vw-life",
        resource: "certificates",
        pinned: true,
        shared: false,
        is_default: false,
        count: 2,
      },
    });
    expect(created.body.owner_key_id).toMatch(/^ak-/);
    const changed = { ...wanted, name: "production", filter: { environments: ["production"] } };
    expect(await views("PUT", "/vw-life", changed)).toMatchObject({
      status: 200,
      body: { name: "production", count: 1, pinned: false },
    });
    expect((await views("GET", "/vw-life")).body.filter.environments).toEqual(["production"]);
    expect((await views("DELETE", "/vw-life")).status).toBe(204);
    expect((await views("GET")).body.total).toBe(0);
    expect(await views("PUT", "/vw-life", changed)).toMatchObject({
      status: 409,
      body: { reason: "ARCHIVED" },
    });
    expect((await views("POST", "/vw-life/restore")).status).toBe(200);
    await views("DELETE", "/vw-life");
  });

  test("is its key's alone until it is shared, and sharing it needs the permission", async () => {
    const own = (await views("POST", "", { ...wanted, name: "mine" }, keys["viewer"])).body;
    expect(own).toMatchObject({ count: 2 });
    for (const [method, body] of [["GET"], ["PUT", wanted], ["DELETE"]] as const)
      expect((await views(method, `/${own.id}`, body, keys["other"])).status, method).toBe(404);
    expect((await views("GET", "", undefined, keys["other"])).body.total).toBe(0);
    expect((await views("POST", "", { ...wanted, shared: true }, keys["viewer"])).status).toBe(403);
    expect((await views("PUT", `/${own.id}`, { ...wanted, shared: true }, keys["viewer"])).status).toBe(403);
    const shared = (await views("POST", "", { ...wanted, name: "ours", shared: true })).body;
    expect((await views("GET", "?q=ours", undefined, keys["other"])).body.data).toMatchObject([
      { id: shared.id },
    ]);
    for (const [method, body] of [["PUT", wanted], ["DELETE"]] as const)
      expect((await views(method, `/${shared.id}`, body, keys["other"])).status, method).toBe(403);
  });

  test("counts what its reader reaches", async () => {
    await views("POST", "", { id: "vw-all", name: "all", shared: true });
    expect((await views("GET", "/vw-all")).body.count).toBe(2);
    expect((await views("GET", "/vw-all", undefined, keys["web"])).body.count).toBe(1);
  });

  test("has a name that is unique among its key's, and among shared ones", async () => {
    const again = { ...wanted, name: "twice" };
    expect((await views("POST", "", again, keys["viewer"])).status).toBe(201);
    expect(await views("POST", "", again, keys["viewer"])).toMatchObject({
      status: 409,
      body: { reason: "NAME_TAKEN" },
    });
    expect((await views("POST", "", again, keys["other"])).status).toBe(201);
  });

  test("is what its list opens with until another is", async () => {
    const isDefault = async (id: string) => (await views("GET", `/${id}`)).body.is_default;
    await views("POST", "", { id: "vw-first", name: "first", is_default: true });
    await views("POST", "", { id: "vw-shared", name: "first", is_default: true, shared: true });
    await views("POST", "", { id: "vw-jobs", name: "jobs", is_default: true, resource: "jobs" });
    await views("POST", "", { id: "vw-second", name: "second", is_default: true });
    const defaults = ["vw-first", "vw-shared", "vw-jobs", "vw-second"].map(isDefault);
    expect(await Promise.all(defaults)).toEqual([false, true, true, true]);
  });

  test("of another list has no filter and no count, and is found by its list", async () => {
    const job = { id: "vw-failed", name: "failed", resource: "jobs", query: "state=Failed", pinned: true };
    expect((await views("POST", "", job)).body).toMatchObject({
      count: null,
      filter: null,
      query: "state=Failed",
    });
    const { body } = await views("GET", "?resource=jobs&pinned=true");
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual(["vw-failed"]);
    const wrong = { ...job, id: "vw-wrong", name: "wrong", filter: {} };
    expect(await views("POST", "", wrong)).toMatchObject({
      status: 400,
      body: { details: [{ field: "filter" }] },
    });
  });

  test.each(["?status=x", "a b", "status=%zz", "<script>"])("refuses %j for a query", async (query) => {
    expect(await views("POST", "", { name: "wrong", query })).toMatchObject({
      status: 400,
      body: { details: [{ field: "query" }] },
    });
  });
});
