import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { chown, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Account } from "./postgres-account.ts";
import { childEnvironment, identity, lastLines } from "./postgres-cluster.ts";

/** What it takes to run one cluster. */
export interface Postmaster {
  /** `<directory>/data`, a real path. */
  data: string;
  /** The program's real path. */
  program: string;
  args: string[];
  account: Account | undefined;
  logFile: string;
  /** What a server that was killed leaves where it listened. */
  lockFiles: string[];
}

const execute = promisify(execFile);

const maxLogBytes = 8 * 1024 * 1024;

/**
 * The process that serves this cluster now, left by a certctl that was killed, or undefined. `isAsWanted` tells whether
 * it is the program and the settings that we would start.
 */
export async function findPostmaster(
  postmaster: Postmaster,
): Promise<{ pid: number; isAsWanted: boolean } | undefined> {
  const { data, program, args } = postmaster;
  const pid = Number.parseInt(await readFile(join(data, "postmaster.pid"), "utf8").catch(() => ""), 10);
  if (!isRunning(pid, data) || !(await isServer(pid, data))) return undefined;
  const options = await readFile(join(data, "postmaster.opts"), "utf8").catch(() => "");
  return { pid, isAsWanted: options.trim() === [program, ...args.map((arg) => `"${arg}"`)].join(" ") };
}

/** After a restart of the machine a process id may belong to anybody; on Linux `isRunning` tells already. */
async function isServer(pid: number, data: string): Promise<boolean> {
  if (process.platform === "linux") return true;
  const isWindows = process.platform === "win32";
  const listing = isWindows
    ? execute("tasklist", ["/FI", `PID eq ${pid}`, "/FO", "CSV", "/NH"])
    : execute("ps", ["-ww", "-o", "command=", "-p", String(pid)]);
  const { stdout } = await listing.catch(() => ({ stdout: "" }));
  return stdout.includes(isWindows ? "postgres.exe" : data);
}

/**
 * Starts a server that outlives us and that a Ctrl-C in our terminal does not reach, when none runs. Returns its process id.
 */
export async function launchPostmaster(postmaster: Postmaster): Promise<number> {
  const { data, program, args, account, logFile, lockFiles } = postmaster;
  // PostgreSQL takes a process that was not waited for yet, or somebody else with the same id, for the owner of the locks.
  // Should children of a dead server live still, its shared memory keeps the new one out.
  for (const file of [join(data, "postmaster.pid"), ...lockFiles]) await rm(file, { force: true });
  const size = (await stat(logFile).catch(() => undefined))?.size ?? 0;
  if (size > maxLogBytes) await rename(logFile, `${logFile}.1`);
  const log = await open(logFile, "a", 0o600);
  try {
    if (account !== undefined) await chown(logFile, account.uid, account.gid);
    const child = spawn(program, args, {
      cwd: data,
      env: childEnvironment,
      detached: true,
      windowsHide: true,
      stdio: ["ignore", log.fd, log.fd],
      ...identity(account),
    });
    await once(child, "spawn");
    child.unref();
    if (child.pid === undefined) throw new Error("PostgreSQL did not start");
    return child.pid;
  } finally {
    await log.close();
  }
}

const stopSteps = [
  // Lets clients go that are just closing: one that is told about the end instead takes it for an error.
  { signal: "SIGTERM", waitMs: 1_000 },
  // Ends all clients and writes everything.
  { signal: "SIGINT", waitMs: 15_000 },
  // Leaves the rest to the recovery of the next start.
  { signal: "SIGQUIT", waitMs: 5_000 },
  { signal: "SIGKILL", waitMs: 2_000 },
] as const;

/** Stops the server and waits until it is gone, at most 23 s. */
export async function stopPostmaster(pid: number, data: string): Promise<void> {
  for (const { signal, waitMs } of stopSteps) {
    if (!isRunning(pid, data)) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    // An adopted process is not our child: its end can only be looked for.
    const deadline = Date.now() + waitMs;
    while (isRunning(pid, data) && Date.now() < deadline) await sleep(10);
  }
}

/** Whether the process is alive and, where the system tells, the server of this cluster. */
export function isRunning(pid: number, data: string): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  if (process.platform !== "linux") return true;
  try {
    // A process that ended and was not waited for has no arguments.
    const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return basename(program ?? "") === "postgres" && args.includes(data);
  } catch {
    return false;
  }
}

/** The end of the server's log, to say why it does not start. */
export async function lastWords(logFile: string): Promise<string> {
  return lastLines(await readFile(logFile, "utf8").catch(() => ""));
}
