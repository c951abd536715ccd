import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { probe } from "../src/targets/probe.ts";
import { type StagedSystem, stageSystem } from "./stage-system.ts";

describe("after a kill -9 and a restart the same job completes with one certificate", {
  timeout: 60_000,
}, () => {
  test("of the agent, after its CSR was sent", async () => {
    await using staged = await stageSystem();
    const { system, agent, certificateId } = staged;
    await using database = await connect(system.databaseUrl);
    // The transaction of the CSR asks whether its key is an agent's; while it waits to know, the agent dies.
    await database.query("BEGIN; LOCK TABLE authorities IN ACCESS EXCLUSIVE MODE");
    const { body } = await system.rest("POST", `/api/v1/certificates/${certificateId}/renew`, {});
    await database.blocked();
    await agent.process.end("SIGKILL");
    await database.query("COMMIT");
    await staged.restartAgent();
    await expectOneProvenCertificate(staged, body.job_id);
  });

  test("of the server, after it signed and before it answered", async () => {
    await using staged = await stageSystem();
    const { system, certificateId } = staged;
    await using database = await connect(system.databaseUrl);
    await database.query("BEGIN; LOCK TABLE certificate_versions IN SHARE MODE");
    const { body } = await system.rest("POST", `/api/v1/certificates/${certificateId}/renew`, {});
    await database.blocked();
    const recorded = await database.serialOf(body.job_id);
    await system.server().end("SIGKILL");
    await database.query("COMMIT");
    await system.restartServer();
    const serial = await expectOneProvenCertificate(staged, body.job_id);
    expect(serial).toBe(recorded);
  });

  test("of the embedded PostgreSQL", async () => {
    await using staged = await stageSystem({ isEmbedded: true });
    const { system, certificateId } = staged;
    const { body } = await system.rest("POST", `/api/v1/certificates/${certificateId}/renew`, {});
    const pid = Number(
      (await readFile(join(system.dataDir, "postgres", "data", "postmaster.pid"), "utf8")).split("\n")[0],
    );
    process.kill(pid, "SIGKILL");
    await expectOneProvenCertificate(staged, body.job_id);
  });
});

async function expectOneProvenCertificate(
  { system, nginx, certificateId, serverName }: StagedSystem,
  jobId: string,
): Promise<string> {
  await system.job(jobId, ({ outcome }) => outcome === "Proven");
  const { body: versions } = await system.rest("GET", `/api/v1/certificates/${certificateId}/versions`);
  expect(versions.data).toHaveLength(1);
  expect(versions.data[0].job_id).toBe(jobId);
  const served = await probe(nginx.endpoint, {
    serverName,
    rootPem: null,
    signal: AbortSignal.timeout(5_000),
  });
  expect(served.fingerprintSha256).toBe(versions.data[0].fingerprint_sha256);
  return served.leaf.serialNumber;
}

async function connect(url: string) {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  const observer = new Client({ connectionString: url });
  await observer.connect();
  return {
    query: (sql: string) => client.query(sql),
    /** Waits until somebody waits for our lock. */
    async blocked(): Promise<void> {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const { rows } = await observer.query(
          "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation'",
        );
        if (rows.length > 0) return;
        if (Date.now() > deadline) throw new Error("nobody came to wait for the lock");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async serialOf(jobId: string): Promise<string> {
      const { rows } = await observer.query("SELECT serial FROM issuances WHERE job_id = $1", [jobId]);
      return rows[0].serial;
    },
    async [Symbol.asyncDispose]() {
      await client.end();
      await observer.end();
    },
  };
}
