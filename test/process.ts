import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A Node process of the project, with what it printed. */
export interface TestProcess extends AsyncDisposable {
  child: ChildProcess;
  /** Resolves with the first line, of now or later, that begins like this; rejects when the process ends first. */
  line(start: string): Promise<string>;
  /** Everything on standard output and error so far. */
  said(): string;
  /** Sends the signal and waits for the end; the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  exited: Promise<number | null>;
}

const stopWithinMs = 20_000;
const silentNode = ["--disable-warning=ExperimentalWarning"];

/** Runs a script of the project with exactly this environment, PATH aside. */
export function runScript(script: string, env: Record<string, string>, argv: string[] = []): TestProcess {
  return runProcess([process.execPath, ...silentNode, script, ...argv], env);
}

export function runProcess(
  [program = "", ...args]: readonly string[],
  env: Record<string, string>,
): TestProcess {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(program, args, { env: { PATH, HOME, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const look = () => {
    for (const wake of waiting) wake();
  };
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      look();
    });
  }
  const said = () => lines.join("\n");
  const exited = once(child, "exit").then(([code]) => code as number | null);
  let isEnded = false;
  exited.finally(() => {
    isEnded = true;
    look();
  });

  async function line(start: string): Promise<string> {
    for (;;) {
      const found = lines.find((text) => text.startsWith(start));
      if (found !== undefined) return found;
      if (isEnded) throw new Error(`${args.join(" ")} ended before it said "${start}":\n${said()}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      await promise;
      waiting.delete(resolve);
    }
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    if (isEnded) return exited;
    child.kill(signal);
    const kill = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
    const code = await exited;
    clearTimeout(kill);
    return code;
  }

  return { child, line, said, end, exited, [Symbol.asyncDispose]: async () => void (await end("SIGTERM")) };
}
