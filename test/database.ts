import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { inject } from "vitest";

/** The migrated database that the tests' databases are copies of. */
export const template = "certctl_template";

/** A database of its own for a test, migrated and empty. */
export async function createDatabase(): Promise<{ url: string } & AsyncDisposable> {
  return copyDatabase(template);
}

/** A database without any table. */
export async function createEmptyDatabase(): Promise<{ url: string } & AsyncDisposable> {
  return copyDatabase("template0");
}

/** What a database, which nobody may be connected to, holds now: to go back to later. */
export async function backUp(url: string): Promise<{ restore(): Promise<void> } & AsyncDisposable> {
  const name = new URL(url).pathname.slice(1);
  const copy = await copyDatabase(name);
  return {
    async restore() {
      await execute(`DROP DATABASE ${name} WITH (FORCE)`);
      await execute(`CREATE DATABASE ${name} TEMPLATE ${new URL(copy.url).pathname.slice(1)}`);
    },
    [Symbol.asyncDispose]: () => copy[Symbol.asyncDispose](),
  };
}

/** The same server, another database. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function copyDatabase(source: string): Promise<{ url: string } & AsyncDisposable> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await execute(`CREATE DATABASE ${name} TEMPLATE ${source}`);
  return {
    url: databaseUrl(inject("postgresUrl"), name),
    [Symbol.asyncDispose]: () => execute(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function execute(sql: string): Promise<void> {
  const client = new Client({ connectionString: inject("postgresUrl") });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
