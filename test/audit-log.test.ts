import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { services } from "#gen/contract.ts";
import { http } from "#gen/google/api/annotations_pb.ts";
import { type Cli, openCli } from "./cli.ts";
import { type System, startSystem } from "./system.ts";

/** The audit over the API and the command line, as an auditor sees it. */

let system: System;
let cli: Cli;
let auditor: string;
const parts = new AsyncDisposableStack();

beforeAll(async () => {
  system = parts.use(await startSystem({ env: { CERTCTL_AUDIT_SEAL_SECONDS: "1" } }));
  cli = parts.use(await openCli(system));
  const { body } = await call("POST", "/api-keys", { name: "auditor", role: "auditor" });
  auditor = body.api_key;
});
afterAll(() => parts.disposeAsync());

const call = (method: string, path: string, body?: unknown) => system.rest(method, `/api/v1${path}`, body);
const audit = (path: string, headers: Record<string, string> = {}) =>
  system.rest("GET", `/api/v1/audit${path}`, undefined, { apiKey: auditor, headers });

async function inDatabase<T>(act: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: system.databaseUrl });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}
const countRows = () =>
  inDatabase(async (client) =>
    Number((await client.query("SELECT count(*) FROM audit_events")).rows[0].count),
  );

/** Waits until every row that is there has its number. */
async function sealed(): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const { body } = await audit("/status");
    if (body.unsealed === 0 && body.checkpoint) return;
    if (Date.now() > deadline) throw new Error(`not sealed: ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("a change is written down with who did it, by which call, and found by each of these", async () => {
  const answer = await call("POST", "/agents", { id: "ag-seen", name: "seen" });
  const { body } = await audit("?resource_id=ag-seen");
  expect(body).toMatchObject({
    total: 1,
    data: [
      {
        actor: system.adminKey.split("_")[0],
        actor_type: "APIKey",
        action: "agent_created",
        resource_type: "agent",
        request_id: answer.headers["x-request-id"],
      },
    ],
  });
  const [event] = body.data;
  expect((await audit(`/${event.id}`)).body).toMatchObject({ id: event.id, details: event.details });
  const { timestamp } = event;
  const window = `from=${timestamp}&to=${new Date(Date.parse(timestamp) + 1).toISOString()}`;
  expect((await audit(`?${window}&resource_type=agent`)).body.total).toBe(1);
  expect((await audit(`?to=${timestamp}&resource_id=ag-seen`)).body.total).toBe(0);
  expect((await audit("?actor_type=Agent&resource_id=ag-seen")).body.total).toBe(0);
  expect((await audit("?actor_type=Robot")).status).toBe(400);
  expect((await audit("/audit-none")).status).toBe(404);
});

test("an auditor's key reads the audit and nothing else; others do not read it", async () => {
  expect((await system.rest("GET", "/api/v1/certificates", undefined, { apiKey: auditor })).status).toBe(403);
  const { body: operator } = await call("POST", "/api-keys", { name: "op", role: "operator" });
  const read = await system.rest("GET", "/api/v1/audit", undefined, { apiKey: operator.api_key });
  expect(read.status).toBe(403);
});

test("field note 12: no read and no heartbeat writes an audit row", async () => {
  const reads = services
    .flatMap(({ methods }) => methods)
    .filter(({ idempotency }) => idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS)
    .flatMap((method) => {
      const { pattern } = getOption(method, http);
      return method.methodKind === "unary" && pattern.case === "get" ? [pattern.value] : [];
    });
  expect(reads.length).toBeGreaterThan(20);
  const { body: agent } = await call("POST", "/agents", { name: "quiet" });
  const before = await countRows();
  for (const path of reads) await system.rest("GET", path.replaceAll(/\{[a-z_]+\}/g, "x-none"));
  for (let beat = 0; beat < 5; beat += 1) {
    const answer = await system.rest(
      "POST",
      `/api/v1/agents/${agent.id}/heartbeat`,
      { epoch: 1 },
      { apiKey: agent.api_key },
    );
    expect(answer.status).toBe(200);
  }
  expect(await countRows()).toBe(before);
});

describe("an export", () => {
  test("is lines of JSON, or CSV that no spreadsheet runs", async () => {
    await call("POST", "/teams", { id: "t-formula", name: '=HYPERLINK("http://evil.example")' });
    const lines = String((await audit("/export?resource_id=t-formula")).body)
      .trim()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ action: "team_created" }]);
    const csv = await audit("/export", { accept: "text/csv" });
    expect(csv.headers["content-type"]).toContain("text/csv");
    const [head, ...rows] = String(csv.body).split("\r\n");
    expect(head).toBe(
      "id,timestamp,actor,actor_type,action,resource_type,resource_id,details,request_id,seq,hash",
    );
    expect(rows.length - 1).toBe(await countRows());
    expect(rows.every((row) => !/(^|,)[=+@-]/.test(row))).toBe(true);
  });
});

describe("certctl audit verify", () => {
  const verify = async (...args: string[]) => {
    const { code, out, err } = await cli.run(["audit", "verify", ...args]);
    return { code, said: out + err };
  };

  test("says that the audit is intact, from the server and from a file without one", async () => {
    await sealed();
    const { body: status } = await audit("/status");
    const key = ["--key", status.keys[0].id];
    const fromServer = await verify(...key, "--expect", `${status.checkpoint.seq}:${status.checkpoint.hash}`);
    expect(fromServer).toEqual({ code: 0, said: expect.stringContaining("the audit is intact") });
    const file = join(system.directory, "audit.ndjson");
    expect(await cli.run(["audit", "save", file])).toEqual({ code: 0, out: "", err: "" });
    const offline = { CERTCTL_URL: "https://localhost:1" };
    expect(await cli.run(["audit", "verify", file, ...key], { env: offline })).toMatchObject({
      code: 0,
      err: "",
    });
    const pinless = await verify(file);
    expect(pinless.said).toContain("name it with --key to be sure");
    expect(await verify(file, "--key", `sha256:${"0".repeat(64)}`)).toMatchObject({ code: 1 });
    expect(await verify(file, "--expect", "1")).toMatchObject({ code: 2 });

    const text = await readFile(file, "utf8");
    const changed = join(system.directory, "changed.ndjson");
    await writeFile(changed, text.replace('"name":"seen"', '"name":"sewn"'));
    expect(await verify(changed, ...key)).toMatchObject({
      code: 1,
      said: expect.stringMatching(/row \d+ .* was changed/),
    });
    const [first = "", ...rest] = text.split("\n").filter((line) => line.startsWith('{"event"'));
    await writeFile(changed, text.replace(`${rest[3]}\n`, ""));
    expect(await verify(changed, ...key)).toMatchObject({
      code: 1,
      said: expect.stringMatching(/row 5 is missing/),
    });
    await writeFile(changed, text.replace(`${first}\n`, "not json\n"));
    expect(await verify(changed, ...key)).toMatchObject({ code: 2 });
  });

  test("finds what the owner of the database changed, and a tail that was cut off", async () => {
    await sealed();
    const { body: status } = await audit("/status");
    const seen = `${status.checkpoint.seq}:${status.checkpoint.hash}`;
    await call("POST", "/teams", { id: "t-last", name: "last" });
    await sealed();
    const { body: later } = await audit("/status");
    const newest = `${later.checkpoint.seq}:${later.checkpoint.hash}`;
    await inDatabase(async (client) => {
      const tables = ["audit_events", "audit_seals", "audit_checkpoints"];
      for (const table of tables) await client.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
      await client.query("DELETE FROM audit_checkpoints WHERE seq > $1", [status.checkpoint.seq]);
      await client.query("DELETE FROM audit_seals WHERE seq > $1", [status.checkpoint.seq]);
      await client.query("DELETE FROM audit_events WHERE resource_id = 't-last'");
      for (const table of tables)
        await client.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ALL`).catch(() => {});
    });
    expect(await verify("--expect", seen)).toMatchObject({ code: 0 });
    expect(await verify("--expect", newest)).toMatchObject({
      code: 1,
      said: expect.stringContaining("the end was cut off or rewritten"),
    });
    await inDatabase(async (client) => {
      await client.query("ALTER TABLE audit_events DISABLE TRIGGER USER");
      await client.query("UPDATE audit_events SET actor = 'ak-innocent' WHERE resource_id = 'ag-seen'");
    });
    expect(await verify()).toMatchObject({ code: 1, said: expect.stringContaining("was changed") });
  });
});
