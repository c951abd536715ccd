import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { pino } from "pino";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../src/platform/embedded-postgres.ts";
import { migrate } from "../src/platform/migrate.ts";
import { databaseUrl, template } from "./database.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Of the run's PostgreSQL, as superuser. */
    postgresUrl: string;
  }
}

const log = pino({ level: "warn" });

/** One PostgreSQL for the whole run, with a migrated template that each test's database is a copy of. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "certctl-test-"));
  const settings = {
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    max_connections: "300",
  };
  const postgres = await startEmbeddedPostgres({ directory: join(directory, "postgres"), log, settings });
  const stop = async () => {
    await postgres.stop();
    await rm(directory, { recursive: true, maxRetries: 3 });
  };
  try {
    await createTemplate(postgres.url);
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide("postgresUrl", postgres.url);
  return stop;
}

async function createTemplate(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE DATABASE ${template}`);
  await client.end();
  await migrate(databaseUrl(url, template), { log });
}
