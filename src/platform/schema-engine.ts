import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PrismaPg } from "@prisma/adapter-pg";
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  DriverAdapterError,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
} from "@prisma/driver-adapter-utils";
import type { SchemaEngine } from "@prisma/schema-engine-wasm";
import { DatabaseError, Pool, type QueryArrayConfig } from "pg";
import type { SchemaFile } from "./migration-files.ts";

export const noFilters = { externalTables: [], externalEnums: [] };

/** Runs `use` with Prisma's schema engine, compiled to WebAssembly, on the database at `url`. */
export async function withSchemaEngine<Result>(
  { url, schema }: { url: string; schema: SchemaFile },
  use: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  const pool = new Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 10_000 });
  try {
    const adapter = bindMigrationAwareSqlAdapterFactory(migrationAdapter(pool));
    loading ??= loadEngine();
    const { SchemaEngine } = await loading;
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

// TypeScript knows it only together with the DOM.
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: object,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

/** The generated bindings serve one instance. */
let loading: ReturnType<typeof loadEngine> | undefined;

/** The package's own entry imports the .wasm file as a module, at which Node prints a warning. */
async function loadEngine() {
  const bindings = await import("@prisma/schema-engine-wasm/schema_engine_bg");
  const entry = createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm");
  const bytes = await readFile(join(dirname(entry), "schema_engine_bg.wasm"));
  // The engine never clears the timer of its own lock: ten seconds in which a finished process would not end.
  const timers = Object.keys(bindings).filter((name) => name.startsWith("__wbg_setTimeout_"));
  const unref = (callback: () => void, ms: number) => setTimeout(callback, ms).unref();
  const imports = { ...bindings, ...Object.fromEntries(timers.map((name) => [name, unref])) };
  const { instance } = await WebAssembly.instantiate(bytes, { "./schema_engine_bg.js": imports });
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports["__wbindgen_start"] as () => void)();
  return bindings;
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
/** By a result's rows: which of its columns are of the type "char". */
const charColumns = new WeakMap<object, number[]>();

function mended(adapter: SqlDriverAdapter & { underlyingDriver(): Pool }): SqlDriverAdapter {
  const pool = adapter.underlyingDriver();
  const query = pool.query.bind(pool);
  const queryRaw = adapter.queryRaw.bind(adapter);

  // The adapter refuses the catalogue's type "char", and the engine panics when it gets text instead.
  Object.assign(pool, {
    async query(config: QueryArrayConfig) {
      const result = await query(config);
      if (Array.isArray(result)) return result;
      for (const [index, field] of result.fields.entries()) {
        if (field.dataTypeID !== charType) continue;
        field.dataTypeID = textType;
        charColumns.set(result.rows, [...(charColumns.get(result.rows) ?? []), index]);
      }
      return result;
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
