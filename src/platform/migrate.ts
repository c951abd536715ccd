import { createHash } from "node:crypto";
import type { DiagnoseMigrationHistoryOutput, MigrationList, SchemaEngine } from "@prisma/schema-engine-wasm";
import { Client, type ClientBase, type Pool } from "pg";
import type { BaseLogger } from "pino";
import { migrationNames, prismaDirectory, readMigrations, readSchema } from "./migration-files.ts";
import { noFilters, withSchemaEngine } from "./schema-engine.ts";
import { StartupError } from "./startup-error.ts";

export interface MigrateOptions {
  log: Pick<BaseLogger, "info">;
  /** The folder of schema.prisma and migrations/; ours when left out. */
  directory?: string;
}

/** Any number that nothing else locks by. */
const lockKey = 4_915_072_603;
/** As long as another replica may take to migrate. */
const lockTimeoutMs = 300_000;

/**
 * Applies what is missing of prisma/migrations, one replica at a time, and returns the names of the migrations it applied.
 * @throws {StartupError} when the database's history is not a beginning of ours, or a migration fails
 */
export async function migrate(url: string, options: MigrateOptions): Promise<string[]> {
  const { log, directory = prismaDirectory } = options;
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {});
  await client.connect().catch((cause: Error) => {
    throw new StartupError(`the database cannot be reached: ${cause.message || String(cause)}`, { cause });
  });
  try {
    await client.query(`SET lock_timeout = ${lockTimeoutMs}`);
    await client.query("SELECT pg_advisory_lock($1)", [lockKey]);
    const migrations = await readMigrations(directory);
    if (await isUpToDate(client, migrations)) return [];
    const schema = await readSchema(directory);
    const applied = await withSchemaEngine({ url, schema }, (engine) => applyPending(engine, migrations));
    for (const name of applied) log.info(`applied the migration ${name}`);
    return applied;
  } finally {
    // The lock goes with its connection.
    await client.end();
  }
}

/** Names of the migrations that the database lacks; one cheap query, for readiness. */
export async function pendingMigrations(
  db: Pick<Pool, "query">,
  directory = prismaDirectory,
): Promise<string[]> {
  const { rows } = await db.query<{ migration_name: string }>(
    "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
  );
  const applied = new Set(rows.map((row) => row.migration_name));
  return (await migrationNames(directory)).filter((name) => !applied.has(name));
}

/**
 * The SQL that leads from what the migrations make to schema.prisma, or "" when they agree. Triggers, CHECKs and
 * partial indexes are no difference: the schema cannot express them.
 * @param emptyDatabaseUrl the migrations are replayed there
 */
export async function schemaDrift(emptyDatabaseUrl: string, directory = prismaDirectory): Promise<string> {
  const migrations = await readMigrations(directory);
  const schema = await readSchema(directory);
  const { stdout } = await withSchemaEngine({ url: emptyDatabaseUrl, schema }, (engine) =>
    engine.diff({
      from: { tag: "migrations", ...migrations },
      to: { tag: "schemaDatamodel", files: [schema] },
      script: true,
      exitCode: null,
      filters: noFilters,
    }),
  );
  const sql = stdout?.trim() ?? "";
  return sql === "-- This is an empty migration." ? "" : `${sql}\n`;
}

/** Spares a start with nothing to do the engine. Whatever looks different is the engine's to judge. */
async function isUpToDate(client: ClientBase, { migrationDirectories }: MigrationList): Promise<boolean> {
  const table = await client.query("SELECT to_regclass('_prisma_migrations') AS name");
  if (table.rows[0]?.name === null) return false;
  const { rows } = await client.query<{ migration: string }>(
    `SELECT migration_name || ' ' || checksum AS migration FROM _prisma_migrations
     WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name COLLATE "C"`,
  );
  const ours = migrationDirectories.map(({ path, migrationFile: { content } }) => {
    return `${path} ${createHash("sha256").update(content.value).digest("hex")}`;
  });
  return rows.map((row) => row.migration).join() === ours.join();
}

async function applyPending(engine: SchemaEngine, migrationsList: MigrationList): Promise<string[]> {
  const input = { migrationsList, optInToShadowDatabase: false, filters: noFilters };
  const { failedMigrationNames } = await engine.diagnoseMigrationHistory(input);
  // A script is one transaction: of one that did not finish nothing is left.
  for (const migrationName of failedMigrationNames) await engine.markMigrationRolledBack({ migrationName });
  refuseDivergence(await engine.diagnoseMigrationHistory(input));
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: noFilters });
    return appliedMigrationNames;
  } catch (cause) {
    throw failure(cause as Error);
  }
}

/** The engine's message is its stack. */
function failure(cause: Error): StartupError {
  const name = /migration_name=\\?"(.+?)\\?"/.exec(cause.message)?.[1] ?? "";
  const reason = /ERROR: .*/.exec(cause.message)?.[0] ?? cause.message;
  return new StartupError(`the migration ${name} of the database failed: ${reason}`, { cause });
}

function refuseDivergence({ editedMigrationNames, history }: DiagnoseMigrationHistoryOutput): void {
  if (editedMigrationNames.length > 0) {
    const names = editedMigrationNames.join(", ");
    throw new StartupError(
      `migrations were edited after this database had them (${names}): restore the files`,
    );
  }
  if (history !== null && history.diagnostic !== "databaseIsBehind") {
    const names = history.unpersistedMigrationNames.join(", ");
    throw new StartupError(
      `the database has migrations that this release does not know (${names}): run the newer one`,
    );
  }
}
