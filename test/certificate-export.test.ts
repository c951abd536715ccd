import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type System, startSystem } from "./system.ts";

/** The certificates as a file: what the list shows, all of it, in its order. */

let system: System;
const parts = new AsyncDisposableStack();
const count = 620;

const call = (method: string, path: string, body?: unknown, apiKey = system.adminKey) =>
  system.rest(method, `/api/v1${path}`, body, { apiKey });
const lines = async (query: string, apiKey?: string) => {
  const { body } = await call("GET", `/certificates/export?${query}`, undefined, apiKey);
  return String(body)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
};
const table = (query: string) =>
  system.rest("GET", `/api/v1/certificates/export?${query}`, undefined, { headers: { accept: "text/csv" } });

beforeAll(async () => {
  system = parts.use(await startSystem());
  await call("POST", "/teams", { id: "t-web", name: "web" });
  const make = (name: string, more = {}) =>
    call("POST", "/certificates", { name, common_name: "host.example.test", ...more });
  await make('=HYPERLINK("https://evil.example")', { team_id: "t-web", tags: { note: "=1+1" } });
  for (let index = 0; index < count - 1; index += 20)
    await Promise.all(
      Array.from({ length: Math.min(20, count - 1 - index) }, (_, step) =>
        make(`host-${String(index + step).padStart(3, "0")}`),
      ),
    );
}, 60_000);
afterAll(() => parts.disposeAsync());

describe("an export", () => {
  test("has a line for every certificate that the list counts, more than a page of them, in its order", async () => {
    const { body } = await call("GET", "/certificates?sort=-name&per_page=3");
    const all = await lines("sort=-name");
    expect(body.total).toBe(count);
    expect(all).toHaveLength(count);
    expect(all.slice(0, 3)).toEqual(body.data);
    expect(new Set(all.map(({ id }) => id)).size).toBe(count);
  });

  test("keeps to the filter, and to what the caller reaches", async () => {
    expect(await lines("q=host-01")).toHaveLength(10);
    expect(await lines("team_ids=t-web")).toHaveLength(1);
    const key = await call("POST", "/api-keys", { name: "web", role: "viewer", team_ids: ["t-web"] });
    expect(await lines("", key.body.api_key)).toHaveLength(1);
    const auditor = await call("POST", "/api-keys", { name: "auditor", role: "auditor" });
    expect((await call("GET", "/certificates/export", undefined, auditor.body.api_key)).status).toBe(403);
  });

  test("is a table where one is asked for, in which no cell is a formula and nothing is secret", async () => {
    const { headers, body } = await table("sort=name");
    expect(headers["content-type"]).toMatch(/^text\/csv/);
    const rows = String(body).trimEnd().split("\r\n");
    expect(rows).toHaveLength(count + 1);
    expect(rows[0]).toMatch(/^id,name,common_name,sans,/);
    const suspicious = rows.find((row) => row.includes("HYPERLINK"));
    expect(suspicious).toContain(`,"'=HYPERLINK(""https://evil.example"")",`);
    expect(rows[0]).not.toMatch(/csr|key_pem/);
    expect(body).not.toMatch(/PRIVATE KEY|CERTIFICATE REQUEST/);
  });

  test("refuses an order that the list does not know", async () => {
    expect(await call("GET", "/certificates/export?sort=secret")).toMatchObject({
      status: 400,
      body: { details: [{ field: "sort" }] },
    });
  });
});
