import { StartupError } from "./startup-error.ts";

/** A Ctrl-C reaches a process twice, from the terminal and from npm, that fast one after the other. */
const echoMs = 250;
const parentCheckMs = 500;

/**
 * Runs the main function of a process. SIGINT, SIGTERM and the end of the parent, when that forked it or is npm's, abort the
 * signal; being asked again ends the process at once. What the operator must mend is one sentence on standard error and
 * exit code 1.
 */
export async function runUntilStopped(main: (signal: AbortSignal) => Promise<void>): Promise<never> {
  const stop = new AbortController();
  let askedAt = Number.POSITIVE_INFINITY;
  const onSignal = () => {
    if (performance.now() > askedAt + echoMs) process.exit(130);
    askedAt = Math.min(askedAt, performance.now());
    stop.abort(new Error("the process was asked to stop"));
  };
  const onParentEnd = () => stop.abort(new Error("the parent process ended"));
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.once("disconnect", onParentEnd);
  if (process.env["npm_lifecycle_event"] !== undefined) watchParent(onParentEnd);
  let code = 0;
  try {
    await main(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted || error instanceof StartupError) {
      const text =
        error instanceof StartupError
          ? error.message
          : error instanceof Error
            ? (error.stack ?? error.message)
            : String(error);
      process.stderr.write(`certctl: ${text}\n`);
      code = 1;
    }
  }
  // Whatever main left open must not keep the process.
  process.exit(code);
}

/** npm passes a SIGTERM to the shell between it and us, which dies of it and says nothing: only a look tells. */
function watchParent(onEnd: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) onEnd();
  }, parentCheckMs).unref();
}

/** Resolves when the signal fires. */
export async function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return undefined;
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
}
