// Writes the SQL that takes the migrations to prisma/schema.prisma: npm run migration -- <name>
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pino } from "pino";
import { startEmbeddedPostgres } from "../src/platform/embedded-postgres.ts";
import { schemaDrift } from "../src/platform/migrate.ts";
import { prismaDirectory } from "../src/platform/migration-files.ts";

const name = process.argv[2] ?? "";
if (!/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error("usage: npm run migration -- <name in snake_case>");
  process.exit(1);
}

const sql = await differenceToSchema();
if (sql === "") {
  console.log("The migrations agree with prisma/schema.prisma: nothing to write.");
} else {
  const timestamp = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const directory = join(prismaDirectory, "migrations", `${timestamp}_${name}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(prismaDirectory, "migrations", "migration_lock.toml"), 'provider = "postgresql"\n');
  writeFileSync(join(directory, "migration.sql"), sql);
  console.log(
    `Wrote ${relative(process.cwd(), directory)}/migration.sql: read it, and add what Prisma cannot say.`,
  );
}

async function differenceToSchema(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "certctl-migration-"));
  const log = pino({ level: "warn" });
  const settings = { fsync: "off" };
  const postgres = await startEmbeddedPostgres({ directory: join(directory, "postgres"), log, settings });
  try {
    return await schemaDrift(postgres.url);
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true });
  }
}
