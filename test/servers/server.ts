import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Argv, minimalEnvironment } from "../../src/platform/program.ts";
import type { Layout } from "../../src/targets/layout.ts";
import { probe } from "../../src/targets/probe.ts";
import type { Protocol } from "../../src/targets/starttls.ts";
import { freePort } from "../free-port.ts";
import { makeSite } from "../site.ts";

/** How one kind of server is run for a test: in the foreground, on loopback, out of a directory of its own. */
export interface Recipe {
  /** Debian's package. */
  package: string;
  protocol?: Protocol;
  /** The user that it drops to, if it is started by root. */
  user?: string;
  layout?: Layout;
  /** Writes what the server needs. */
  prepare(place: { directory: string; site: string; port: number }): Promise<Prepared>;
}

export interface Prepared {
  /** Stays in the foreground. */
  argv: Argv;
  test?: Argv;
  /** `pid`: the process that `argv` became. */
  reload?(pid: number): Argv;
  start?: Argv;
  /** Where a server that `start` has brought back writes its process id. */
  pidFile?: string;
}

/** A real server that serves `<directory>/site/current`. */
export interface RealServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  endpoint: string;
  /** What agent.yaml calls `directory`; a self-signed placeholder is current at first. */
  site: string;
  /** For agent.yaml. */
  commands: { test?: Argv; reload?: Argv; start?: Argv };
  /** Whether the process that was started first still runs. */
  isRunning(): boolean;
}

const attempts = 3;
const readyMs = 15_000;

/** Runs a server and answers when it serves its placeholder. */
export async function startServer(recipe: Recipe, directory: string): Promise<RealServer> {
  const site = join(directory, "site");
  const owner = recipe.user === undefined ? null : accountOf(recipe.user);
  // The server's user passes through.
  await chmod(directory, 0o755);
  await makeSite(site, recipe.layout);
  if (owner) await giveAway(site, owner);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const prepared = await recipe.prepare({ directory, site, port });
    const endpoint = `127.0.0.1:${port}`;
    const { child, said } = await launch(prepared.argv, recipe.package);
    if (await isReady(child, endpoint, recipe.protocol)) {
      const { test, reload, start } = prepared;
      return {
        endpoint,
        site,
        commands: {
          ...(test && { test }),
          ...(reload && { reload: reload(child.pid ?? 0) }),
          ...(start && { start }),
        },
        isRunning: () => isRunning(child),
        [Symbol.asyncDispose]: () => end(child, prepared.pidFile),
      };
    }
    await end(child, prepared.pidFile);
    // Somebody else may have taken the port since it was found free.
    if (attempt === attempts) throw new Error(`${prepared.argv.join(" ")} did not start: ${said()}`);
  }
}

async function launch([program, ...args]: Argv, debianPackage: string) {
  const child = spawn(program, args, { env: minimalEnvironment, stdio: ["ignore", "pipe", "pipe"] });
  await once(child, "spawn").catch(() => {
    throw new Error(
      `${program} is not installed: apt-get update && apt-get install -y --no-install-recommends ${debianPackage}`,
    );
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (said += part));
  return { child, said: () => said };
}

async function isReady(child: ChildProcess, endpoint: string, protocol: Protocol = "tls"): Promise<boolean> {
  const deadline = AbortSignal.timeout(readyMs);
  while (isRunning(child) && !deadline.aborted) {
    const isServing = await probe(endpoint, {
      serverName: null,
      rootPem: null,
      signal: deadline,
      protocol,
    }).then(
      () => true,
      () => false,
    );
    if (isServing) return true;
    await delay(20);
  }
  return false;
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

async function end(child: ChildProcess, pidFile: string | undefined): Promise<void> {
  if (pidFile !== undefined) await endOther(child, pidFile);
  if (!isRunning(child)) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}

/** A server that was brought back is nobody's child here. */
async function endOther(child: ChildProcess, pidFile: string): Promise<void> {
  const pid = Number(await readFile(pidFile, "utf8").catch(() => ""));
  if (!pid || pid === child.pid) return;
  try {
    process.kill(pid, "SIGTERM");
    while (process.kill(pid, 0)) await delay(20);
  } catch {
    // It is gone.
  }
}

/** Null: the tests do not run as root, and nobody else can become anybody. */
export function accountOf(user: string): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const ask = (flag: string) => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  return { uid: ask("-u"), gid: ask("-g") };
}

async function giveAway(site: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const placeholder = join(site, "versions", "placeholder");
  const files = (await readdir(placeholder)).map((name) => join(placeholder, name));
  for (const path of [site, ...files]) await chown(path, uid, gid);
}
