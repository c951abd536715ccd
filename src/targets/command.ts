import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { freeText } from "./free-text.ts";

/** A program, by absolute path or by name, and its arguments. */
export type Argv = readonly [string, ...string[]];

/** What every command is given; where else a program lies, the owner writes down its path. */
export const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
};
const readLimit = 65_536;
/** Leaves room for what is said around it. */
const outputLimit = 7_168;
const lastWordsMs = 100;

/** A command that could not be started, ended badly or took too long; the message has its own words. */
class CommandError extends Error {
  override readonly name = "CommandError";
}

/** Runs a whole argv without a shell and in a clean environment. Answers what it printed, fit to leave the host. */
export async function run(argv: Argv, limits: { signal: AbortSignal; timeoutMs: number }): Promise<string> {
  const { signal, timeoutMs } = limits;
  signal.throwIfAborted();
  const [program, ...args] = argv;
  const timeout = AbortSignal.timeout(timeoutMs);
  const limit = AbortSignal.any([signal, timeout]);
  const child = spawn(program, args, {
    cwd: "/",
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, so that what the command started ends with it.
    detached: true,
  });
  const output = collect(child);
  const end = () => endGroup(child.pid);
  limit.addEventListener("abort", end, { once: true });
  try {
    const [code, endedBy] = await exit(child, program);
    signal.throwIfAborted();
    if (code === 0) return output();
    const what = timeout.aborted
      ? `did not finish within ${timeoutMs / 1000} s`
      : code === null
        ? `was ended by ${endedBy}`
        : `exited with code ${code}`;
    throw new CommandError(`${program} ${what}: ${output() || "it printed nothing"}`);
  } finally {
    limit.removeEventListener("abort", end);
  }
}

async function exit(child: ChildProcess, program: string): Promise<[number | null, string | null]> {
  const closed = once(child, "close").catch(() => {});
  try {
    const [code, endedBy] = await once(child, "exit");
    // A daemon that the command left behind may hold its output open for ever.
    await Promise.race([closed, delay(lastWordsMs, undefined, { ref: false })]);
    return [code, endedBy];
  } catch (error) {
    throw new CommandError(`${program} cannot be started: ${error instanceof Error ? error.message : error}`);
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

/** What the command says: its standard error, or its standard output when that is empty. */
function collect(child: ChildProcess): () => string {
  const texts = [child.stderr, child.stdout].map((stream) => {
    let text = "";
    stream?.setEncoding("utf8").on("data", (part: string) => {
      if (text.length < readLimit) text += part.slice(0, readLimit - text.length);
    });
    return () => freeText(text, outputLimit);
  });
  return () => texts.map((text) => text()).find((text) => text !== "") ?? "";
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
