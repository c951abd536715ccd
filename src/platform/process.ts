import { StartupError } from "./startup-error.ts";

/**
 * Runs the main function of a process. SIGINT, SIGTERM and the end of the parent that forked it abort the signal; a second
 * signal ends the process at once. What the operator must mend is one sentence on standard error and exit code 1.
 */
export async function runUntilStopped(main: (signal: AbortSignal) => Promise<void>): Promise<never> {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error("the process was asked to stop"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.once("disconnect", () => stop.abort(new Error("the parent process ended")));
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

/** Resolves when the signal fires. */
export async function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return undefined;
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
}
