import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Account, chownTree } from "./postgres-account.ts";
import type { Binaries } from "./postgres-binaries.ts";
import { StartupError } from "./startup-error.ts";

/** The superuser of the embedded cluster, and the name of the database. */
export const clusterName = "certctl";

const initdbTimeoutMs = 120_000;

/** Makes the cluster `<directory>/data` unless it exists. Returns the superuser's password, kept in `<directory>/password`. */
export async function ensureCluster(options: {
  directory: string;
  binaries: Binaries;
  account: Account | undefined;
  /** Whether the files must survive a power cut. */
  isDurable: boolean;
  signal: AbortSignal;
}): Promise<string> {
  const { directory, binaries } = options;
  const data = join(directory, "data");
  const passwordFile = join(directory, "password");
  const version = await readIfPresent(join(data, "PG_VERSION"));
  if (version === undefined) {
    const password = randomBytes(24).toString("base64url");
    await initialize(options, password);
    await writeFile(`${passwordFile}.new`, password, { mode: 0o600, flush: true });
    await rename(`${passwordFile}.new`, passwordFile);
    // The cluster gets its name last: one that has it is whole and has its password.
    await rename(`${data}.new`, data);
    return password;
  }

  const major = binaries.version.split(".")[0];
  if (version !== major) {
    throw new StartupError(
      `${data} was written by PostgreSQL ${version}, this release brings ${major}: dump it with the old release and restore it`,
    );
  }
  // A backup that root copied back is root's.
  if (options.account !== undefined && (await stat(data)).uid === 0) await chownTree(data, options.account);
  const password = await readIfPresent(passwordFile);
  if (password === undefined) {
    throw new StartupError(`the database's password, ${passwordFile}, is gone: restore it from a backup`);
  }
  return password;
}

async function initialize(
  { directory, binaries, account, isDurable, signal }: Parameters<typeof ensureCluster>[0],
  password: string,
): Promise<void> {
  const fresh = join(directory, "data.new");
  const secret = join(directory, "initdb-password");
  await rm(fresh, { recursive: true, force: true });
  await rm(secret, { force: true });
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(secret, password, { mode: 0o600 });
  if (account !== undefined) {
    await chown(fresh, account.uid, account.gid);
    await chown(secret, account.uid, account.gid);
  }
  const args = [
    `--pgdata=${fresh}`,
    `--username=${clusterName}`,
    `--pwfile=${secret}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--data-checksums",
    ...(isDurable ? [] : ["--no-sync"]),
  ];
  try {
    await promisify(execFile)(join(binaries.root, "bin", "initdb"), args, {
      cwd: directory,
      env: childEnvironment,
      timeout: initdbTimeoutMs,
      signal,
      ...identity(account),
    });
  } catch (cause) {
    signal.throwIfAborted();
    const { stderr, message } = cause as Error & { stderr?: string };
    throw new StartupError(`PostgreSQL's initdb failed: ${lastLines(stderr || message)}`, { cause });
  } finally {
    await rm(secret, { force: true });
  }
}

/** All that initdb and postgres get to see of our environment. */
export const childEnvironment = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" };

export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

export function lastLines(text: string, count = 3): string {
  return text.trim().split("\n").slice(-count).join(" | ");
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
