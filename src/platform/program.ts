import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

/** A program, by absolute path or by name, and its arguments. */
export type Argv = readonly [string, ...string[]];

/** What every program is given; where else a program lies, the owner writes down its path. */
export const minimalEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
};

const lastWordsMs = 100;

export interface ProgramOptions {
  signal: AbortSignal;
  timeoutMs: number;
  /** Characters that are taken of each of its two streams. */
  maxLength: number;
  /** What becomes of more: it is not read, or the program is ended. */
  excess: "drop" | "end";
  /** Beside the minimal environment. */
  environment?: Readonly<Record<string, string>>;
  /** Written to its standard input; without it there is none. */
  stdin?: string;
}

/** How a program ended, and what it printed. */
export interface ProgramEnd {
  /** Null: a signal ended it. */
  code: number | null;
  endedBy: string | null;
  limit: "time" | "output" | null;
  stdout: string;
  stderr: string;
}

/** A program that could not be started. */
export class ProgramStartError extends Error {}

/**
 * Runs a whole argv without a shell, in a clean environment and a process group of its own, so that what the program started
 * ends with it. Throws ProgramStartError, and the signal's reason.
 */
export async function runProgram(argv: Argv, options: ProgramOptions): Promise<ProgramEnd> {
  const { signal, timeoutMs, maxLength, excess, environment = {}, stdin } = options;
  signal.throwIfAborted();
  const [program, ...args] = argv;
  const timeout = AbortSignal.timeout(timeoutMs);
  const limit = AbortSignal.any([signal, timeout]);
  const child = spawn(program, args, {
    cwd: "/",
    env: { ...minimalEnvironment, ...environment },
    stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    detached: true,
  });
  let isExcessive = false;
  const end = () => endGroup(child.pid);
  const tooMuch = () => {
    if (excess === "drop") return;
    isExcessive = true;
    end();
  };
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => collect(stream, maxLength, tooMuch));
  limit.addEventListener("abort", end, { once: true });
  // A program need not read what it is given.
  child.stdin?.on("error", () => {}).end(stdin);
  try {
    const [code, endedBy] = await exit(child, program);
    signal.throwIfAborted();
    const reached = isExcessive ? "output" : timeout.aborted && code === null ? "time" : null;
    return { code, endedBy, limit: reached, stdout: stdout?.() ?? "", stderr: stderr?.() ?? "" };
  } finally {
    limit.removeEventListener("abort", end);
  }
}

async function exit(child: ChildProcess, program: string): Promise<[number | null, string | null]> {
  const closed = once(child, "close").catch(() => {});
  try {
    const [code, endedBy] = await once(child, "exit");
    // A daemon that the program left behind may hold its output open for ever.
    await Promise.race([closed, delay(lastWordsMs, undefined, { ref: false })]);
    return [code, endedBy];
  } catch (error) {
    throw new ProgramStartError(
      `${program} cannot be started: ${error instanceof Error ? error.message : error}`,
    );
  } finally {
    child.stdin?.destroy();
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

function collect(stream: ChildProcess["stdout"], most: number, tooMuch: () => void): () => string {
  let text = "";
  stream?.setEncoding("utf8").on("data", (part: string) => {
    if (text.length + part.length > most) tooMuch();
    text += part.slice(0, most - text.length);
  });
  return () => text;
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
