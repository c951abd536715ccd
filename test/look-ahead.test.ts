import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type System, startSystem } from "./system.ts";

/** The trust map and the forecast by REST, over certificates that an agent has made keys for. */

let system: System;
const parts = new AsyncDisposableStack();
const keys: Record<string, string> = {};

const call = (method: string, path: string, body?: unknown, apiKey = system.adminKey) =>
  system.rest(method, `/api/v1${path}`, body, { apiKey });

interface Node {
  id: string;
  layer: string;
  value: string;
  name: string;
  certificates: number;
  problems: number;
  filter: object | null;
}
const map = async (query = "", apiKey?: string) =>
  (await call("GET", `/trust-map?${query}`, undefined, apiKey)).body;
const node = (nodes: Node[], id: string) => nodes.find((each) => each.id === id);
const dryRun = async (filter: object) =>
  (await call("POST", "/operations/dry-run", { kind: "Renew", filter })).body.total;

beforeAll(async () => {
  system = parts.use(await startSystem());
  parts.use(await system.startAgent("ag-keys"));
  await call("POST", "/agents", { id: "ag-idle", name: "idle" });
  await call("POST", "/teams", { id: "t-web", name: "web" });
  await call("POST", "/owners", { id: "o-ann", name: "Ann", email: "ann@example.test", team_id: "t-web" });
  const declared = {
    shop: { agent_id: "ag-keys", owner_id: "o-ann", environment: "production" },
    blog: { agent_id: "ag-keys", team_id: "t-web" },
    api: { agent_id: "ag-idle", key_algorithm: "RSA-2048", environment: "production" },
    stray: {},
  };
  for (const [name, more] of Object.entries(declared))
    await call("POST", "/certificates", { id: `mc-${name}`, name, common_name: "x.example.test", ...more });
  for (const name of ["shop", "blog"]) await system.renew(`mc-${name}`);
  keys["web"] = (
    await call("POST", "/api-keys", { name: "web", role: "viewer", team_ids: ["t-web"] })
  ).body.api_key;
  keys["auditor"] = (await call("POST", "/api-keys", { name: "auditor", role: "auditor" })).body.api_key;
});
afterAll(() => parts.disposeAsync());

describe("the trust map", () => {
  test("leads from issuers over CAs, teams and agents to owners, each with its counts and its name", async () => {
    const { nodes, edges, certificates, truncated, layers } = await map();
    expect([certificates, truncated]).toEqual([4, false]);
    expect(layers.map(({ layer, total }: { layer: string; total: number }) => [layer, total])).toEqual([
      ["issuer", 1],
      ["issuing_ca", 2],
      ["team", 2],
      ["agent", 3],
      ["owner", 2],
    ]);
    expect(node(nodes, "issuer:iss-local")).toMatchObject({ name: "Local CA", certificates: 4 });
    const ca = nodes.find((each: Node) => each.layer === "issuing_ca" && each.value !== "");
    expect(ca).toMatchObject({ certificates: 2, name: expect.stringMatching(/issuing ca/) });
    expect(node(nodes, "issuing_ca:")).toMatchObject({ certificates: 2 });
    expect(node(nodes, "team:t-web")).toMatchObject({ name: "web", certificates: 2 });
    expect(node(nodes, "agent:")).toMatchObject({ certificates: 1, filter: null });
    expect(node(nodes, "owner:o-ann")).toMatchObject({ name: "Ann", certificates: 1 });
    expect(edges).toContainEqual({ from: "issuer:iss-local", to: ca.id, certificates: 2 });
    expect(edges).toContainEqual({ from: "team:t-web", to: "agent:ag-keys", certificates: 2 });
    expect(edges).toContainEqual({ from: "agent:ag-keys", to: "owner:o-ann", certificates: 1 });
  });

  test.each([
    "",
    "root=issuer:iss-local",
    "root=team:t-web&group=environment",
    "root=agent:ag-keys",
    "root=key_algorithm:RSA-2048",
    "root=owner:",
    "only_problems=true",
  ])("chooses by each node's filter as many as it counts: %j", async (query) => {
    const { nodes, filter, certificates } = await map(query);
    expect(await dryRun(filter)).toBe(certificates);
    for (const { id, filter: own, certificates: counted } of nodes)
      if (own) expect([id, await dryRun(own)]).toEqual([id, counted]);
    expect(nodes.some((each: Node) => each.filter !== null)).toBe(certificates > 0);
  });

  test("keeps to what is in focus", async () => {
    expect((await map("root=key_algorithm:RSA-2048")).certificates).toBe(1);
    const { nodes } = await map("root=owner:o-ann&group=environment");
    expect(node(nodes, "environment:production")).toMatchObject({ certificates: 1 });
    expect((await map("root=issuer:iss-none")).nodes).toEqual([]);
    for (const root of ["weather:rain", "team", "key_algorithm:DSA"])
      expect(await call("GET", `/trust-map?root=${root}`)).toMatchObject({
        status: 400,
        body: { details: [{ field: "root" }] },
      });
  });

  test("shows problems alone where it is asked to", async () => {
    expect(await map("only_problems=true")).toMatchObject({ certificates: 0, nodes: [] });
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: system.databaseUrl });
    await client.connect();
    await client.query("UPDATE managed_certificates SET last_error = 'sign: no' WHERE id = 'mc-api'");
    await client.end();
    const { certificates, problems, nodes, filter } = await map("only_problems=true");
    expect([certificates, problems]).toEqual([1, 1]);
    expect(node(nodes, "agent:ag-idle")).toMatchObject({ certificates: 1, problems: 1 });
    expect(await dryRun(filter)).toBe(1);
    expect(node((await map()).nodes, "issuer:iss-local")).toMatchObject({ certificates: 4, problems: 1 });
    expect((await call("GET", "/certificates?problems=true")).body.data).toMatchObject([{ id: "mc-api" }]);
  });

  test("shows what the caller reaches", async () => {
    expect(await map("", keys["web"])).toMatchObject({ certificates: 2 });
    expect((await call("GET", "/trust-map", undefined, keys["auditor"])).status).toBe(403);
  });
});

describe("the forecast", () => {
  const forecast = async (query = "", apiKey?: string) =>
    (await call("GET", `/renewals/forecast?${query}`, undefined, apiKey)).body;

  test("has every day from today on, and the renewals of the inventory on theirs", async () => {
    const { days, renewals, overdue, unplanned, early_per_day: early, limits, windows } = await forecast();
    expect(days).toHaveLength(98);
    expect(days[0].date).toBe(new Date().toISOString().slice(0, 10));
    // Two of 46 days, renewed three times in 98 days; those that were never issued have no plan.
    expect({ renewals, overdue, unplanned }).toEqual({ renewals: 6, overdue: 0, unplanned: 0 });
    const sum = days.reduce((all: number, day: { renewals: number }) => all + day.renewals, 0);
    expect(sum).toBe(renewals);
    expect(days.reduce((all: number, day: { expiring: number }) => all + day.expiring, 0)).toBe(2);
    expect({ early, limits, windows }).toEqual({ early: 50, limits: [], windows: [] });
  });

  test("says what issuers order at most, as their budgets have it", async () => {
    const budget = { orders_per_three_hours: 10 };
    const issuers = {
      bounded: { enabled: true, budget },
      "in vain": { enabled: false, budget },
      unbounded: { enabled: true, budget: { orders_per_three_hours: 0 } },
    };
    for (const [name, { enabled, budget: own }] of Object.entries(issuers)) {
      const config = { directory_url: "https://localhost:1/dir", budget: own };
      const made = await call("POST", "/issuers", { name, kind: "acme", enabled, config });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
    }
    expect((await forecast()).limits).toEqual([{ name: "bounded", per_day: 80 }]);
  });

  test("is recomputed for another lifetime, and grouped", async () => {
    const { renewals, groups, days, ...asked } = await forecast("lifetime_days=6&group=team&days=40");
    expect(asked).toMatchObject({ lifetime_days: 6, group: "team" });
    expect(renewals).toBe(days.flatMap(({ groups: of }: { groups: Node[] }) => of).length * 2);
    expect(renewals).toBeGreaterThanOrEqual(18);
    expect(groups).toEqual([{ value: "t-web", name: "web", count: renewals }]);
    expect((await forecast("days=500")).details).toMatchObject([{ field: "days" }]);
  });
});
