import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDatabase, createEmptyDatabase } from "../../test/database.ts";
import { migrate, pendingMigrations, schemaDrift } from "./migrate.ts";
import { migrationNames, prismaDirectory } from "./migration-files.ts";
import { StartupError } from "./startup-error.ts";

const log = pino({ level: "silent" });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "certctl-migrate-"));
  await writeFile(join(directory, "schema.prisma"), schema);
  await write(
    "1_init",
    'CREATE TABLE "cars" ("id" TEXT NOT NULL, CONSTRAINT "cars_pkey" PRIMARY KEY ("id"));',
  );
});
afterEach(() => rm(directory, { recursive: true }));

const schema = `
datasource db {
  provider = "postgresql"
}
model Car {
  id String @id
  @@map("cars")
}`;

async function write(name: string, sql: string): Promise<void> {
  await mkdir(join(directory, "migrations", name), { recursive: true });
  await writeFile(join(directory, "migrations", name, "migration.sql"), sql);
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const pool = new Pool({ connectionString: url });
  try {
    return (await pool.query(sql)).rows;
  } finally {
    await pool.end();
  }
}

describe("migrate", () => {
  test("applies each migration once when two replicas start together", async () => {
    await using database = await createEmptyDatabase();
    const names = await migrationNames(prismaDirectory);
    const applied = await Promise.all([migrate(database.url, { log }), migrate(database.url, { log })]);
    expect(applied.toSorted((a, b) => a.length - b.length)).toEqual([[], names]);
    expect(await migrate(database.url, { log })).toEqual([]);
  });

  test("runs a script whole: functions with semicolons, triggers, partial indexes, checks", async () => {
    await using database = await createEmptyDatabase();
    await write(
      "2_rules",
      `-- a comment; with a semicolon
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'never; ever'; END $$;
      CREATE TRIGGER cars_stay BEFORE DELETE ON cars FOR EACH ROW EXECUTE FUNCTION refuse();
      CREATE UNIQUE INDEX cars_partial ON cars (id) WHERE id <> '';
      ALTER TABLE cars ADD CONSTRAINT cars_named CHECK (id <> 'x');
      INSERT INTO cars VALUES ('a');`,
    );
    expect(await migrate(database.url, { log, directory })).toEqual(["1_init", "2_rules"]);
    await expect(query(database.url, "DELETE FROM cars")).rejects.toThrow("never; ever");
    await using empty = await createEmptyDatabase();
    expect(await schemaDrift(empty.url, directory)).toBe("");
  });

  test("leaves nothing of a migration that fails, and tries it again", async () => {
    await using database = await createEmptyDatabase();
    await write("2_fails", "CREATE TABLE wheels (id TEXT); SELECT 1/0;");
    const failed = migrate(database.url, { log, directory });
    await expect(failed).rejects.toThrow(StartupError);
    await expect(failed).rejects.toThrow(
      "the migration 2_fails of the database failed: ERROR: division by zero",
    );
    expect(await query(database.url, "SELECT to_regclass('wheels') AS name")).toEqual([{ name: null }]);

    await write("2_fails", "CREATE TABLE wheels (id TEXT);");
    expect(await migrate(database.url, { log, directory })).toEqual(["2_fails"]);
  });

  test("refuses a database whose migrations were edited or are unknown", async () => {
    await using database = await createEmptyDatabase();
    await write("2_more", "CREATE TABLE wheels (id TEXT);");
    await migrate(database.url, { log, directory });

    await write("2_more", "CREATE TABLE wheels (id TEXT NOT NULL);");
    const edited = migrate(database.url, { log, directory });
    await expect(edited).rejects.toThrow(StartupError);
    await expect(edited).rejects.toThrow("2_more");

    await rm(join(directory, "migrations", "2_more"), { recursive: true });
    const unknown = migrate(database.url, { log, directory });
    await expect(unknown).rejects.toThrow(StartupError);
    await expect(unknown).rejects.toThrow("2_more");
  });

  test("says that the database cannot be reached", async () => {
    const nowhere = migrate("postgresql://a:b@127.0.0.1:1/none", { log });
    await expect(nowhere).rejects.toThrow(StartupError);
    await expect(nowhere).rejects.toThrow("ECONNREFUSED");
  });
});

test("names the migrations that a database lacks", async () => {
  await using database = await createDatabase();
  const pool = new Pool({ connectionString: database.url });
  try {
    expect(await pendingMigrations(pool)).toEqual([]);
    await cp(join(prismaDirectory, "migrations"), join(directory, "migrations"), { recursive: true });
    await write("9_next", "SELECT 1;");
    expect(await pendingMigrations(pool, directory)).toEqual(["1_init", "9_next"]);
  } finally {
    await pool.end();
  }
});

describe("drift", () => {
  test("is none between the migrations and schema.prisma", async () => {
    await using database = await createEmptyDatabase();
    expect(await schemaDrift(database.url)).toBe("");
    expect((await readdir(join(prismaDirectory, "migrations"))).length).toBeGreaterThan(0);
  });

  test("is the SQL that is missing", async () => {
    await using database = await createEmptyDatabase();
    await writeFile(
      join(directory, "schema.prisma"),
      schema.replace("id String @id", "id String @id\n  seats Int"),
    );
    expect(await schemaDrift(database.url, directory)).toContain('ADD COLUMN     "seats" INTEGER NOT NULL');
  });
});
