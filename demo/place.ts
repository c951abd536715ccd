import { join } from "node:path";
import { Client } from "pg";
import { type Config, loadConfig } from "../src/config.ts";
import { openDataDir } from "../src/platform/data-dir.ts";
import { lockDirectory } from "../src/platform/directory-lock.ts";
import type { Log } from "../src/platform/log.ts";
import type { Sealer } from "../src/platform/seal.ts";
import { defaultDataDir } from "../src/platform/settings.ts";
import { StartupError } from "../src/platform/startup-error.ts";
import { openServerDatabase } from "../src/server.ts";

/** The only database that demo data is ever written to or that is dropped. */
const databaseName = "certctl_demo";

/** Where the demo lies: a data directory and a database server of its own, unless DATABASE_URL names one. */
export interface Place extends AsyncDisposable {
  config: Config;
  /** Of the demo's database. */
  url: string;
  sealer: Sealer;
  /** Where the keys of the demo's agents are kept, for the agents that the server runs. */
  agentKeysPath: string;
  exists(): Promise<boolean>;
  create(): Promise<void>;
  drop(): Promise<void>;
}

/** Throws StartupError for any other database. */
export async function openPlace(env: NodeJS.ProcessEnv, log: Log, signal: AbortSignal): Promise<Place> {
  const dataDir = env["CERTCTL_DATA_DIR"] || `${defaultDataDir(env)}-demo`;
  const config = loadConfig({ ...env, CERTCTL_DATA_DIR: dataDir });
  if (config.databaseUrl !== undefined) requireDemo(config.databaseUrl);
  await using opening = new AsyncDisposableStack();
  await openDataDir(config.dataDir);
  opening.use(await lockDirectory(config.dataDir));
  const server = await openServerDatabase(config, log, signal);
  opening.defer(() => server.stop());
  const maintenance = named(server.url, config.databaseUrl === undefined ? "certctl" : "postgres");
  const execute = (sql: string, values: string[] = []) => run(maintenance, sql, values);
  const parts = opening.move();
  return {
    config,
    url: named(server.url, databaseName),
    sealer: server.sealer,
    agentKeysPath: join(config.dataDir, "demo-agents.json"),
    exists: async () => (await execute("SELECT 1 FROM pg_database WHERE datname = $1", [databaseName])) > 0,
    create: async () => void (await execute(`CREATE DATABASE ${databaseName}`)),
    drop: async () => void (await execute(`DROP DATABASE IF EXISTS ${databaseName} WITH (FORCE)`)),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function requireDemo(databaseUrl: string): void {
  const name = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  if (name !== databaseName)
    throw new StartupError(
      `demo data goes to a database named ${databaseName} and to no other; DATABASE_URL names ${name || "none"}`,
    );
}

function named(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}

/** Runs one statement; the number of rows. */
async function run(url: string, sql: string, values: string[]): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, values)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
