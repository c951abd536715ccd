import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Client } from "pg";
import { expect, test } from "vitest";
import { openCli } from "./cli.ts";
import { startSystem } from "./system.ts";

/** A control plane whose database role owns nothing, with what docs/audit.md grants it. */

async function inDatabase<T>(url: string, act: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

test("a role that owns nothing runs the control plane, and cannot touch the audit", async () => {
  const manual = await readFile("docs/audit.md", "utf8");
  const grants = /```sql\n([\s\S]*?)```/.exec(manual)?.[1] ?? "";
  expect(grants).toContain("REVOKE");
  const role = `runtime_${randomUUID().replaceAll("-", "")}`;
  await using parts = new AsyncDisposableStack();
  const system = parts.use(await startSystem({ env: { CERTCTL_AUDIT_SEAL_SECONDS: "1" } }));
  const owner = system.databaseUrl;
  await system.server().end("SIGTERM");
  await inDatabase(owner, async (client) => {
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'runtime'`);
    await client.query(grants.replaceAll("certctl_runtime", role));
  });
  parts.defer(() =>
    inDatabase(
      owner,
      async (client) => void (await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)),
    ),
  );
  const runtime = new URL(owner);
  runtime.username = role;
  runtime.password = "runtime";
  await system.restartServer({ DATABASE_URL: runtime.href });
  parts.defer(async () => void (await system.server().end("SIGTERM")));

  await using _agent = await system.startAgent("ag-runtime");
  const certificate = { id: "mc-r", name: "r", common_name: "r.example.test", agent_id: "ag-runtime" };
  await system.rest("POST", "/api/v1/certificates", certificate);
  expect(await system.renew("mc-r")).toMatchObject({ outcome: "Issued" });
  const status = async () => (await system.rest("GET", "/api/v1/audit/status")).body;
  await expect.poll(async () => (await status()).unsealed, { timeout: 20_000 }).toBe(0);
  await using cli = await openCli(system);
  expect(await cli.run(["audit", "verify"])).toMatchObject({ code: 0 });

  await inDatabase(runtime.href, async (client) => {
    for (const table of ["audit_events", "audit_seals", "audit_checkpoints"]) {
      const attempts = [
        `UPDATE ${table} SET ctid = ctid`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
        `ALTER TABLE ${table} DISABLE TRIGGER USER`,
        `DROP TABLE ${table} CASCADE`,
      ];
      for (const sql of attempts)
        await expect(client.query(sql), sql).rejects.toThrow(/permission denied|owner|cannot/);
    }
    await expect(client.query("SET session_replication_role = replica")).rejects.toThrow("permission denied");
  });
});
