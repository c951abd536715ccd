import { freeText } from "../platform/free-text.ts";
import { type Argv, ProgramStartError, runProgram } from "../platform/program.ts";

const readLimit = 65_536;
/** Leaves room for what is said around it. */
const outputLimit = 7_168;

/** A command that could not be started, ended badly or took too long; the message has its own words. */
class CommandError extends Error {
  override readonly name = "CommandError";
}

/** Runs a whole argv without a shell and in a clean environment. Answers what it printed, fit to leave the host. */
export async function run(argv: Argv, limits: { signal: AbortSignal; timeoutMs: number }): Promise<string> {
  const [program] = argv;
  const options = { ...limits, maxLength: readLimit, excess: "drop" } as const;
  const end = await runProgram(argv, options).catch((error: unknown) => {
    throw error instanceof ProgramStartError ? new CommandError(error.message) : error;
  });
  const output = [end.stderr, end.stdout]
    .map((text) => freeText(text, outputLimit))
    .find((text) => text !== "");
  if (end.code === 0) return output ?? "";
  const what =
    end.limit === "time"
      ? `did not finish within ${limits.timeoutMs / 1000} s`
      : end.code === null
        ? `was ended by ${end.endedBy}`
        : `exited with code ${end.code}`;
  throw new CommandError(`${program} ${what}: ${output ?? "it printed nothing"}`);
}
