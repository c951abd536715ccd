import type { DiagnoseMigrationHistoryOutput, MigrationList, SchemaEngine } from "@prisma/schema-engine-wasm";
import { Client, type Pool } from "pg";
import type { BaseLogger } from "pino";
import {
  migrationNames,
  noFilters,
  prismaDirectory,
  readMigrations,
  readSchema,
  withSchemaEngine,
} from "./schema-engine.ts";
import { StartupError } from "./startup-error.ts";

/** Any number that nothing else locks by. */
const lockKey = 4_915_072_603;
/** As long as another replica may take to migrate. */
const lockTimeoutMs = 300_000;

/**
 * Applies what is missing of prisma/migrations, one replica at a time, and returns the names of the migrations it applied.
 * @throws {StartupError} when the database's history is not a beginning of ours, or a migration fails
 */
export async function migrate(
  url: string,
  { log, directory = prismaDirectory }: { log: Pick<BaseLogger, "info">; directory?: string },
): Promise<string[]> {
  const schema = await readSchema(directory);
  const migrations = await readMigrations(directory);
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(`SET lock_timeout = ${lockTimeoutMs}`);
    await client.query("SELECT pg_advisory_lock($1)", [lockKey]);
    const applied = await withSchemaEngine({ url, schema }, (engine) => applyPending(engine, migrations));
    for (const name of applied) log.info(`applied the migration ${name}`);
    return applied;
  } finally {
    // The lock goes with its connection.
    await client.end();
  }
}

async function applyPending(engine: SchemaEngine, migrationsList: MigrationList): Promise<string[]> {
  const found = await engine.diagnoseMigrationHistory({
    migrationsList,
    optInToShadowDatabase: false,
    filters: noFilters,
  });
  refuseDivergence(found);
  // PostgreSQL runs a script as one transaction: of one that did not finish nothing is left.
  for (const migrationName of found.failedMigrationNames)
    await engine.markMigrationRolledBack({ migrationName });
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: noFilters });
    return appliedMigrationNames;
  } catch (cause) {
    throw new StartupError(`a migration of the database failed: ${(cause as Error).message}`, { cause });
  }
}

function refuseDivergence({ editedMigrationNames, history }: DiagnoseMigrationHistoryOutput): void {
  if (editedMigrationNames.length > 0) {
    const names = editedMigrationNames.join(", ");
    throw new StartupError(`the database was migrated by other versions of ${names}: restore those files`);
  }
  if (history !== null && history.diagnostic !== "databaseIsBehind") {
    const names = history.unpersistedMigrationNames.join(", ");
    throw new StartupError(
      `the database has migrations that this release does not know (${names}): run a newer release`,
    );
  }
}

/** Names of the migrations that the database at `db` lacks; one cheap query. */
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
 * The SQL that leads from what the migrations make to schema.prisma, or "" when they agree.
 * @param emptyDatabaseUrl the migrations are replayed in this database
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
