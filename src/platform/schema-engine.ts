import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  DriverAdapterError,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
} from "@prisma/driver-adapter-utils";
import { type MigrationList, SchemaEngine } from "@prisma/schema-engine-wasm";
import { DatabaseError, Pool, type QueryArrayConfig } from "pg";

/** The folder of schema.prisma and migrations/. */
export const prismaDirectory = fileURLToPath(new URL("../../prisma", import.meta.url));

export const noFilters = { externalTables: [], externalEnums: [] };

export interface SchemaFile {
  path: string;
  content: string;
}

/** Runs `use` with Prisma's schema engine, compiled to WebAssembly, on the database at `url`. */
export async function withSchemaEngine<Result>(
  { url, schema }: { url: string; schema: SchemaFile },
  use: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  const pool = new Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 10_000 });
  try {
    const adapter = bindMigrationAwareSqlAdapterFactory(migrationAdapter(pool));
    const engine = await SchemaEngine.new({ datamodels: [[schema.path, schema.content]] }, () => {}, adapter);
    try {
      return await use(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

/** Prisma's adapter for PostgreSQL, with what the schema engine needs mended. */
function migrationAdapter(pool: Pool): SqlMigrationAwareDriverAdapterFactory {
  const factory = new PrismaPg(pool);
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => mended(await factory.connect()),
    connectToShadowDb: async () => mended(await factory.connectToShadowDb()),
  };
}

const charType = 18;
const textType = 25;

function mended(adapter: SqlDriverAdapter & { underlyingDriver(): Pool }): SqlDriverAdapter {
  const pool = adapter.underlyingDriver();
  const query = pool.query.bind(pool);
  const queryRaw = adapter.queryRaw.bind(adapter);
  const charColumns = new WeakMap<object, number[]>();

  // The adapter refuses the catalogue's type "char", and the engine panics when it gets text instead.
  Object.assign(pool, {
    async query(config: QueryArrayConfig) {
      const { fields, rows, ...rest } = await query(config);
      charColumns.set(
        rows,
        fields.flatMap(({ dataTypeID }, index) => (dataTypeID === charType ? [index] : [])),
      );
      const known = fields.map((field) =>
        field.dataTypeID === charType ? { ...field, dataTypeID: textType } : field,
      );
      return { fields: known, rows, ...rest };
    },
  });
  return Object.assign(adapter, {
    async queryRaw(sql: SqlQuery) {
      const result = await queryRaw(sql);
      for (const index of charColumns.get(result.rows) ?? []) {
        result.columnTypes[index] = ColumnTypeEnum.Character;
      }
      return result;
    },
    // The adapter cuts a script at every semicolon, also inside functions and strings, and runs the pieces one by one.
    // PostgreSQL takes it whole, and runs it as one transaction.
    async executeScript(script: string) {
      try {
        await query(script);
      } catch (error) {
        throw error instanceof DatabaseError ? new DriverAdapterError(described(error)) : error;
      }
    },
  });
}

function described(error: DatabaseError): ConstructorParameters<typeof DriverAdapterError>[0] {
  return {
    kind: "postgres",
    code: error.code ?? "",
    severity: error.severity ?? "ERROR",
    message: error.message,
    detail: error.detail,
    column: error.column,
    hint: error.hint,
  };
}

export async function readSchema(directory: string): Promise<SchemaFile> {
  const path = join(directory, "schema.prisma");
  return { path, content: await readFile(path, "utf8") };
}

/** Names of the migrations in the order in which they are applied. */
export async function migrationNames(directory: string): Promise<string[]> {
  const migrations = join(directory, "migrations");
  if (!existsSync(migrations)) return [];
  const entries = await readdir(migrations, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}

export async function readMigrations(directory: string): Promise<MigrationList> {
  const baseDir = join(directory, "migrations");
  const names = await migrationNames(directory);
  const migrationDirectories = names.map(async (name) => {
    const value = await readFile(join(baseDir, name, "migration.sql"), "utf8");
    return { path: name, migrationFile: { path: "migration.sql", content: { tag: "ok" as const, value } } };
  });
  return {
    baseDir,
    lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
    shadowDbInitScript: "",
    migrationDirectories: await Promise.all(migrationDirectories),
  };
}
