import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MigrationList } from "@prisma/schema-engine-wasm";

/** The folder of schema.prisma and migrations/. */
export const prismaDirectory = fileURLToPath(new URL("../../prisma", import.meta.url));

export interface SchemaFile {
  path: string;
  content: string;
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
