import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { databaseUrl } from "./database.ts";
import { freePort } from "./free-port.ts";
import { runScript, type TestProcess } from "./process.ts";
import { type Rest, restClient } from "./rest.ts";

let directory: string;
let env: Record<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "certctl-demo-"));
  await chmod(directory, 0o711);
  env = {
    CERTCTL_DATA_DIR: join(directory, "data"),
    CERTCTL_PORT: String(await freePort()),
    CERTCTL_CONFIG_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
    DATABASE_URL: databaseUrl(inject("postgresUrl"), "certctl_demo"),
  };
});

afterAll(async () => {
  await ended(["--remove"]);
  await rm(directory, { recursive: true, force: true });
});

/** Runs `npm run demo:data` to its end. */
async function ended(argv: string[] = [], more: Record<string, string> = {}) {
  await using run = runScript("demo/data.ts", { ...env, ...more }, argv);
  return { code: await run.exited, process: run };
}

async function databases(): Promise<string[]> {
  const client = new Client({ connectionString: inject("postgresUrl") });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>("SELECT datname FROM pg_database");
  await client.end();
  return rows.map(({ datname }) => datname);
}

test("demo data is written to no database of another name, nor is one dropped", async () => {
  const other = databaseUrl(inject("postgresUrl"), "certctl_template");
  for (const argv of [[], ["--remove"]]) {
    const { code, process } = await ended(argv, { DATABASE_URL: other });
    expect(code).toBe(1);
    await process.says("demo data goes to a database named certctl_demo and to no other");
  }
  expect(await databases()).toContain("certctl_template");
});

describe("the demo", () => {
  let server: TestProcess;
  let rest: Rest;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  let list: (path: string) => Promise<any[]>;

  beforeAll(async () => {
    const { code, process } = await ended();
    expect(code, process.said()).toBe(0);
    server = runScript("demo/serve.ts", env);
    const url = (await server.line("ready https://")).slice("ready ".length);
    const read = async (name: string) => (await readFile(join(directory, "data", name), "utf8")).trim();
    rest = restClient({ url, ca: await read("ca.pem"), apiKey: await read("admin.key") });
    list = async (path) =>
      (await rest("GET", `/api/v1/${path}${path.includes("?") ? "&" : "?"}per_page=500`)).body.data;
  }, 300_000);

  afterAll(() => server?.end("SIGTERM"));

  test("shows 40 certificates in every state, 6 teams and 8 agents, one of which is silent", async () => {
    const certificates = [...(await list("certificates")), ...(await list("certificates?archived=true"))];
    expect(Object.groupBy(certificates, ({ status }) => status)).toMatchObject({
      Active: { length: 24 },
      Expiring: { length: 4 },
      Expired: { length: 3 },
      Pending: { length: 3 },
      Failed: { length: 2 },
      RenewalInProgress: { length: 2 },
      Archived: { length: 2 },
    });
    expect(certificates).toHaveLength(40);
    expect(await list("teams")).toHaveLength(6);
    const agents = await list("agents");
    expect(agents).toHaveLength(8);
    await expect
      .poll(async () => (await list("agents")).filter(({ status }) => status !== "Offline").length, {
        timeout: 20_000,
      })
      .toBe(7);
  });

  test("has half a year of versions, jobs, notifications and audit, each where it belongs in time", async () => {
    const { body: shop } = await rest("GET", "/api/v1/certificates/mc-shop/versions?per_page=500");
    expect(shop.data.length).toBeGreaterThan(4);
    const times = shop.data.map((version: { created_at: string; not_before: string }) => [
      Date.parse(version.created_at),
      Date.parse(version.not_before),
    ]);
    for (const [created, begins] of times) expect(Math.abs(created - begins)).toBeLessThan(3_600_000);
    const oldest = Math.min(...times.map(([created]: number[]) => created));
    expect((Date.now() - oldest) / 86_400_000).toBeGreaterThan(175);
    const { body: jobs } = await rest("GET", "/api/v1/jobs?type=Renewal&status=Completed&per_page=500");
    expect(jobs.total).toBeGreaterThan(80);
    for (const { created_at: created, completed_at: completed } of jobs.data)
      expect(Date.parse(completed)).toBeGreaterThanOrEqual(Date.parse(created));
    const retried = (await list("jobs?type=Deployment&status=Completed")).filter(
      ({ attempts }) => attempts > 1,
    );
    expect(retried.length).toBeGreaterThan(0);
    const words = (await list("notifications")).map(({ status }) => status);
    expect(words).toEqual(expect.arrayContaining(["sent", "dead"]));
    expect((await rest("GET", "/api/v1/audit?per_page=1")).body.total).toBeGreaterThan(800);
    const rules = await list("policies");
    expect(new Set(rules.map(({ type }) => type)).size).toBe(6);
    expect(rules.filter(({ open_violations: open }) => open > 0).length).toBeGreaterThan(3);
  });

  test("keeps an audit that verifies", async () => {
    const { body: events } = await rest("GET", "/api/v1/audit?action=certificate_created&per_page=500");
    expect(events.total).toBe(40);
    const days = events.data.map(({ timestamp }: { timestamp: string }) => timestamp.slice(0, 10));
    expect(new Set(days).size).toBeGreaterThan(20);
    const cli = runScript(
      "cli/main.ts",
      {
        CERTCTL_URL: `https://localhost:${env["CERTCTL_PORT"]}`,
        CERTCTL_CA: join(directory, "data", "ca.pem"),
        CERTCTL_API_KEY_FILE: join(directory, "data", "admin.key"),
      },
      ["audit", "verify"],
    );
    await cli.line("the audit is intact");
    expect(await cli.exited).toBe(0);
  });

  test("renews a certificate while somebody watches", async () => {
    const { body } = await rest("POST", "/api/v1/certificates/mc-www/renew", {});
    await expect
      .poll(async () => (await rest("GET", `/api/v1/jobs/${body.job_id}`)).body.outcome, { timeout: 20_000 })
      .toBe("Proven");
  });

  test("is not made twice, and removing it drops the database", async () => {
    const again = await ended();
    expect(again.code).toBe(1);
    await server.end("SIGTERM");
    const second = await ended();
    expect(second.code).toBe(1);
    await second.process.says("exists already");
    expect((await ended(["--remove"])).code).toBe(0);
    expect(await databases()).not.toContain("certctl_demo");
  });
});
