import { once } from "node:events";
import { CommanderError } from "commander";
import { connect } from "./connection.ts";
import { exitCodes, explain } from "./failure.ts";
import { buildProgram } from "./program.ts";
import { readLogin } from "./settings.ts";

const { env } = process;
const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("interrupted")));
// Who reads us may leave early: certctl jobs tail | head
process.stdout.on("error", () => process.exit(exitCodes.ok));

const program = buildProgram({
  env,
  isLive: process.stderr.isTTY === true,
  signal: stop.signal,
  out: (text) => void process.stdout.write(text),
  drained: async () => void (process.stdout.writableNeedDrain && (await once(process.stdout, "drain"))),
  err: (text) => void process.stderr.write(text),
  connect: async () => connect(await readLogin(env)),
});
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else {
    const { text, exitCode } = explain(error);
    process.stderr.write(`certctl: ${text}\n`);
    process.exitCode = exitCode;
  }
}
