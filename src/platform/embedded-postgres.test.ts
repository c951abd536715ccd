import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, lstat, mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Pool } from "pg";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded-postgres.ts";
import { StartupError } from "./startup-error.ts";

const isRoot = process.getuid?.() === 0;
const settings: Record<string, string> = { fsync: "off" };

let dataDirectory: string;
let directory: string;
let running: EmbeddedPostgres[] = [];
let messages: string[] = [];

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), "certctl-pg-"));
  directory = join(dataDirectory, "postgres");
});
afterEach(async () => {
  for (const postgres of running) await postgres.stop();
  running = [];
  messages = [];
  await rm(dataDirectory, { recursive: true, force: true });
});

async function start(path = directory, options = settings): Promise<EmbeddedPostgres> {
  const write = (line: string) => messages.push(JSON.parse(line).msg);
  const postgres = await startEmbeddedPostgres({
    directory: path,
    log: pino({}, { write }),
    settings: options,
  });
  running.push(postgres);
  return postgres;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const pool = new Pool({ connectionString: url });
  try {
    return (await pool.query(sql)).rows;
  } finally {
    await pool.end();
  }
}

async function serverPid(): Promise<number> {
  return Number.parseInt(await readFile(join(directory, "data", "postmaster.pid"), "utf8"), 10);
}

/** Resolves when the pool's idle connection ends. */
function lost(pool: Pool): Promise<unknown> {
  return new Promise((resolve) => pool.on("error", resolve));
}

async function queryWhenBack(pool: Pool, sql: string): Promise<unknown[]> {
  const deadline = Date.now() + 20_000;
  while (true) {
    try {
      return (await pool.query(sql)).rows;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

describe("the embedded PostgreSQL", () => {
  test("keeps its data, lets nobody in without the password and listens on no port", async () => {
    const first = await start();
    await query(first.url, "CREATE TABLE kept AS SELECT 1 AS one");
    const facts =
      "SELECT current_setting('listen_addresses') AS tcp, current_setting('data_checksums') AS sums";
    expect(await query(first.url, facts)).toEqual([{ tcp: "", sums: "on" }]);
    const stranger = new URL(first.url);
    stranger.password = "guess";
    await expect(query(stranger.href, "SELECT 1")).rejects.toThrow("password authentication failed");
    expect((await stat(join(directory, "password"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, "socket"))).mode & 0o777).toBe(0o700);
    await first.stop();
    expect(await first.exited).toBeUndefined();
    await expect(query(first.url, "SELECT 1")).rejects.toThrow();

    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, "SELECT one FROM kept")).toEqual([{ one: 1 }]);
  });

  test("is there again at once when it is killed, and pools reconnect", async () => {
    const { url } = await start();
    const pool = new Pool({ connectionString: url });
    const ended = lost(pool);
    await pool.query("CREATE TABLE kept AS SELECT 1 AS one");
    const pid = await serverPid();
    process.kill(pid, "SIGKILL");
    await ended;
    expect(await queryWhenBack(pool, "SELECT one FROM kept")).toEqual([{ one: 1 }]);
    await pool.end();
    expect(messages).toContain("PostgreSQL ended unexpectedly: starting it again");
    expect(await serverPid()).not.toBe(pid);
  });

  test("stays when one of its own processes is killed", async () => {
    const { url } = await start();
    const pool = new Pool({ connectionString: url });
    const ended = lost(pool);
    const pid = await serverPid();
    const { rows } = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    process.kill(rows[0]?.pid ?? 0, "SIGKILL");
    await ended;
    expect(await queryWhenBack(pool, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await pool.end();
    expect(await serverPid()).toBe(pid);
  });

  test("survives our death by the terminal and is adopted by the next start", async () => {
    const url = await startAndDie();
    const pid = await serverPid();
    const { url: adopted } = await start();
    expect(adopted).toBe(url);
    expect(await serverPid()).toBe(pid);
    expect(messages).toContain(`adopting the PostgreSQL that runs already (process ${pid})`);

    process.kill(pid, "SIGKILL");
    const pool = new Pool({ connectionString: adopted });
    expect(await queryWhenBack(pool, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await pool.end();
  });

  test("is restarted when the one left behind runs with other settings", async () => {
    await startAndDie();
    const pid = await serverPid();
    const { url } = await start(directory, { ...settings, max_connections: "17" });
    expect(await serverPid()).not.toBe(pid);
    expect(await query(url, "SHOW max_connections")).toEqual([{ max_connections: "17" }]);
  });

  test("starts where a dead server left the process id that somebody else has now", async () => {
    await (await start()).stop();
    const stale = join(directory, "data", "postmaster.pid");
    await writeFile(stale, `${process.pid}\n${directory}/data\n1\n5432\n\n\n\n`);
    const { url } = await start();
    expect(await query(url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  /** Starts it in a process group of its own, which is then killed as a whole. */
  async function startAndDie(): Promise<string> {
    const module = new URL("embedded-postgres.ts", import.meta.url).href;
    const options = `{ directory: ${JSON.stringify(directory)}, settings: ${JSON.stringify(settings)}, log }`;
    const code = `const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
      const log = { info() {}, warn() {} };
      console.log((await startEmbeddedPostgres(${options})).url);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], { detached: true });
    const [url] = await once(child.stdout, "data");
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await once(child, "exit");
    return String(url).trim();
  }
});

describe("the directory of the embedded PostgreSQL", () => {
  test("may have a longer path than a socket may", async () => {
    directory = join(dataDirectory, "d".repeat(120), "postgres");
    await mkdir(dirname(directory));
    await chmod(dataDirectory, 0o711);
    for (let run = 0; run < 2; run++) {
      const { url } = await start();
      expect(await query(url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
      await running.pop()?.stop();
      expect((await lstat(directory)).isDirectory()).toBe(true);
      // Whoever tidies the temporary directory does no harm.
      const socket = await realpath(join(directory, "socket"));
      expect(socket.startsWith(directory)).toBe(false);
      expect((await stat(socket)).mode & 0o777).toBe(0o700);
      await rm(socket, { recursive: true });
    }
  });

  test("may lie where only its owner can go", async () => {
    const inner = join(dataDirectory, "data");
    directory = join(inner, "postgres");
    await mkdir(inner, { mode: 0o700 });
    await chmod(dataDirectory, 0o700);
    const { url } = await start();
    expect(await query(url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect((await stat(dataDirectory)).mode & 0o777).toBe(0o700);
    expect((await lstat(directory)).isSymbolicLink()).toBe(isRoot);
    await running.pop()?.stop();

    const again = await start();
    expect(await query(again.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await running.pop()?.stop();
    if (!isRoot) return;
    await rm(await realpath(directory), { recursive: true });
    await expect(start()).rejects.toThrow("is a link to a place that is gone");
  });

  test("is reported when it cannot be written", async () => {
    const file = join(dataDirectory, "file");
    await writeFile(file, "");
    const below = start(join(file, "postgres"));
    await expect(below).rejects.toThrow(StartupError);
    await expect(below).rejects.toThrow(/cannot run the embedded PostgreSQL in .*file/);

    // What root may not write either.
    const closed = isRoot ? "/sys" : dataDirectory;
    if (!isRoot) await chmod(closed, 0o500);
    const inside = start(join(closed, "postgres"));
    await expect(inside).rejects.toThrow(StartupError);
    if (!isRoot) await chmod(closed, 0o700);
  });

  test("is reported when its password is gone or wrong", async () => {
    await (await start()).stop();
    await writeFile(join(directory, "password"), "wrong");
    await expect(start()).rejects.toThrow("refuses the password kept beside it");
    await rm(join(directory, "password"));
    await expect(start()).rejects.toThrow(StartupError);
  });
});
