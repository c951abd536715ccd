import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { runProcess, type TestProcess } from "./process.ts";
import type { System } from "./system.ts";

/** What a command printed, and how it ended. */
export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** The command line client of an operator who has the admin's key, as a process each time. */
export interface Cli extends AsyncDisposable {
  /** The folder of its configuration. */
  home: string;
  env: Record<string, string>;
  run(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<Ended>;
  /** A command that goes on until it is ended. */
  start(args: readonly string[]): TestProcess;
  /** The same as `run`, for a command that must succeed; what it printed as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json(...args: string[]): Promise<any>;
}

const launcher = join(import.meta.dirname, "..", "cli", "certctl");
/** Ends a command that hangs. */
const timeoutMs = 25_000;

export async function openCli({ url, adminKey, dataDir }: System): Promise<Cli> {
  const home = await mkdtemp(join(tmpdir(), "certctl-cli-"));
  await writeFile(join(home, "api.key"), adminKey, { mode: 0o600 });
  const env = {
    HOME: home,
    CERTCTL_URL: url,
    CERTCTL_API_KEY_FILE: join(home, "api.key"),
    CERTCTL_CA: join(dataDir, "ca.pem"),
  };
  const run: Cli["run"] = async (args, options = {}) => {
    const { PATH = "" } = process.env;
    const child = spawn(launcher, args, { env: { PATH, ...env, ...options.env }, timeout: timeoutMs });
    child.stdin.end(options.input ?? "");
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    return { code, out, err };
  };
  return {
    home,
    env,
    run,
    start: (args) => runProcess([launcher, ...args], env),
    async json(...args) {
      const { code, out, err } = await run([...args, "-o", "json"]);
      if (code !== 0) throw new Error(`certctl ${args.join(" ")} ended with ${code}: ${err}`);
      return JSON.parse(out);
    },
    [Symbol.asyncDispose]: () => rm(home, { recursive: true }),
  };
}
