import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A Node process of the project, with what it printed. */
export interface TestProcess extends AsyncDisposable {
  child: ChildProcess;
  /** Resolves with the first line, of now or later, that begins like this; rejects when the process ends first. */
  line(start: string): Promise<string>;
  /** The same for a line that has this text in it. */
  says(text: string): Promise<string>;
  /** Everything on standard output and error so far, or on one of them. */
  said(from?: "stdout" | "stderr"): string;
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

/** With `isGroup`, the process leads a group of its own, as what is typed into a terminal does. */
export function runProcess(
  [program = "", ...args]: readonly string[],
  env: Record<string, string>,
  { isGroup = false }: { isGroup?: boolean } = {},
): TestProcess {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(program, args, {
    env: { PATH, HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: isGroup,
  });
  const lines: { from: "stdout" | "stderr"; text: string }[] = [];
  const waiting = new Set<() => void>();
  const look = () => {
    for (const wake of waiting) wake();
  };
  for (const from of ["stdout", "stderr"] as const) {
    createInterface({ input: child[from] }).on("line", (text) => {
      lines.push({ from, text });
      look();
    });
  }
  const said = (wanted?: "stdout" | "stderr") =>
    lines
      .filter(({ from }) => wanted === undefined || from === wanted)
      .map(({ text }) => text)
      .join("\n");
  const exited = once(child, "exit").then(([code]) => code as number | null);
  // What was said last may be read after the end.
  let isRead = false;
  child.once("close", () => {
    isRead = true;
    look();
  });

  async function first(isWanted: (text: string) => boolean, wanted: string): Promise<string> {
    for (;;) {
      const found = lines.find(({ text }) => isWanted(text));
      if (found !== undefined) return found.text;
      if (isRead) throw new Error(`${args.join(" ")} ended before it said "${wanted}":\n${said()}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      await promise;
      waiting.delete(resolve);
    }
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return exited;
    child.kill(signal);
    const kill = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
    const code = await exited;
    clearTimeout(kill);
    return code;
  }

  return {
    child,
    line: (start) => first((text) => text.startsWith(start), start),
    says: (part) => first((text) => text.includes(part), part),
    said,
    end,
    exited,
    [Symbol.asyncDispose]: async () => void (await end("SIGTERM")),
  };
}
