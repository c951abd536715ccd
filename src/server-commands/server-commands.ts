import type { ServerCommands } from "../issuers/commands.ts";
import { IssuerError } from "../issuers/issuer.ts";
import { freeText } from "../platform/free-text.ts";
import { ProgramStartError, runProgram } from "../platform/program.ts";
import { trustedFile } from "../platform/trusted-path.ts";
import { loadServerFile, type ServerCommand } from "./server-file.ts";

/** What the server's owner allows in server.yaml; it is read again for every use. */
export function serverCommands(path: string): ServerCommands {
  async function find(name: string): Promise<ServerCommand> {
    const commands = await loadServerFile(path);
    const command = commands.get(name);
    if (command) return command;
    const known = [...commands.keys()].join(", ") || "none";
    throw new IssuerError("command", `${path} has no command ${name}; it has ${known}`, "Configuration");
  }

  async function trusted(name: string): Promise<ServerCommand> {
    const command = await find(name);
    await trustedFile(command.argv[0]).catch((error: unknown) => {
      throw new IssuerError("command", `${name} is not run: ${wordsOf(error)}`, "Configuration");
    });
    return command;
  }

  return {
    async list() {
      const commands = await loadServerFile(path);
      return Array.from(commands, ([name, { description }]) => ({ name, description }));
    },

    async check(name) {
      await trusted(name);
    },

    async run(name, { environment, stdin, signal }) {
      const { argv, timeoutMs, maxLength, environment: own } = await trusted(name);
      const end = await runProgram(argv, {
        signal,
        timeoutMs,
        maxLength,
        excess: "end",
        environment: { ...own, ...environment },
        stdin,
      }).catch((error: unknown) => {
        if (!(error instanceof ProgramStartError)) throw error;
        throw new IssuerError("command", `${name}: ${error.message}`, "Configuration");
      });
      const words = freeText(end.stderr, 2_000);
      const said = words === "" ? "" : `: ${words}`;
      if (end.limit === "time") {
        const seconds = timeoutMs / 1_000;
        throw new IssuerError("command", `${name} did not finish within ${seconds} s${said}`, "Network");
      }
      if (end.limit === "output") {
        const kib = maxLength / 1_024;
        throw new IssuerError("command", `${name} printed more than ${kib} KiB and was ended`, "Internal");
      }
      if (end.code === null)
        throw new IssuerError("command", `${name} was ended by ${end.endedBy}${said}`, "Internal");
      return { code: end.code, stdout: end.stdout, words };
    },
  };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
