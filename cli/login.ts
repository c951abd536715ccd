import { Code, ConnectError } from "@connectrpc/connect";
import type { Command } from "commander";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { pinnedRoot } from "../agent/trust.ts";
import { connect, emptyRequest } from "./connection.ts";
import { CommandFailure, exitCodes } from "./failure.ts";
import { readSecret } from "./secret-input.ts";
import { type Login, readCa, saveLogin } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

export function addLogin(program: Command, terminal: Terminal): void {
  program
    .command("login")
    .description("Keeps a server's URL, CA and an API key for the commands that follow")
    .argument("<url>", "https://host:port")
    .option("--ca <file>", "the CA that vouches for the server, PEM: ca.pem of its data directory")
    .option("--ca-pin <pin>", 'the same by its public key: "sha256:…"; the server is asked for the CA')
    .addHelpText(
      "after",
      `
The key is read from standard input, or asked for. It is kept in $XDG_CONFIG_HOME/certctl/login.json, for you alone.

Examples:
  certctl login https://certctl.example.com:8443 --ca ca.pem
  certctl login https://localhost:8443 --ca /var/lib/certctl/ca.pem < /var/lib/certctl/admin.key`,
    )
    .action(async (given: string, options: { ca?: string; caPin?: string }) => {
      const url = serverUrl(given);
      const ca = await caOf(url, options, terminal.signal);
      const apiKey = await readSecret(`API key for ${url.host}: `);
      if (apiKey === "") throw new CommandFailure("no API key was given", exitCodes.usage);
      const login = { url: url.origin, ca, apiKey };
      await tryOut(login);
      terminal.err(`logged in to ${url.origin}; kept in ${await saveLogin(terminal.env, login)}\n`);
    });
}

function serverUrl(text: string): URL {
  if (!URL.canParse(text) || new URL(text).protocol !== "https:")
    throw new CommandFailure("the URL must be https://host:port", exitCodes.usage);
  return new URL(text);
}

async function caOf(
  url: URL,
  { ca, caPin }: { ca?: string; caPin?: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  if (ca !== undefined && caPin !== undefined)
    throw new CommandFailure("give --ca or --ca-pin, not both", exitCodes.usage);
  if (ca !== undefined) return readCa(ca);
  return caPin === undefined ? undefined : pinnedRoot(url, caPin, signal);
}

/** A call that shows whether the server knows the key; what the key may do is another question. */
async function tryOut(login: Login): Promise<void> {
  using connection = connect(login);
  const { listJobs } = JobService.method;
  try {
    await connection.unary(listJobs, emptyRequest(listJobs));
  } catch (error) {
    if (ConnectError.from(error).code !== Code.PermissionDenied) throw error;
  }
}
