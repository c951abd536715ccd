import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeAtomically } from "../src/platform/data-dir.ts";
import { readSettings } from "../src/platform/settings.ts";
import { CommandFailure, exitCodes } from "./failure.ts";

/** What `certctl login` keeps, and the environment may override. */
export interface Login {
  /** https://host:port */
  url: string;
  /** Roots that vouch for the server, PEM; undefined: those of the system. */
  ca: string | undefined;
  apiKey: string;
}

const storedLogin = z.object({
  url: z.url({ protocol: /^https$/ }),
  ca: z.string().optional(),
  api_key: z.string(),
});

export const cliSettings = z.object({
  CERTCTL_URL: z
    .url({ protocol: /^https$/, error: "must be https://…" })
    .optional()
    .meta({ description: "The server to talk to", whenUnset: "the one of `certctl login`" }),
  CERTCTL_API_KEY: z.string().optional().meta({
    description: "The key; one that login keeps is sent to no other server",
    whenUnset: "the one of `certctl login`",
  }),
  CERTCTL_CA: z.string().optional().meta({
    description: "A file with the CA that vouches for the server, PEM",
    whenUnset: "the one of `certctl login`, else the system's",
  }),
});

export const cliSecrets = ["CERTCTL_API_KEY"];

/**
 * The server to talk to. A key that was stored for one server is sent to no other that CERTCTL_URL names.
 * @throws {CommandFailure} when there is no login
 */
export async function readLogin(env: NodeJS.ProcessEnv): Promise<Login> {
  const set = readSettings(env, cliSettings, cliSecrets);
  const stored = await readStored(env);
  const url = set.CERTCTL_URL ?? stored?.url;
  const isSame =
    stored !== undefined && url !== undefined && new URL(url).origin === new URL(stored.url).origin;
  const apiKey = set.CERTCTL_API_KEY ?? (isSame ? stored.apiKey : undefined);
  if (url === undefined || apiKey === undefined)
    throw new CommandFailure(
      `no ${url === undefined ? "server" : `key for ${url}`} is known: run certctl login, or set CERTCTL_URL, CERTCTL_API_KEY_FILE and CERTCTL_CA`,
      exitCodes.usage,
    );
  const ca = set.CERTCTL_CA === undefined ? (isSame ? stored.ca : undefined) : await readCa(set.CERTCTL_CA);
  return { url: new URL(url).origin, ca, apiKey };
}

/** Keeps the login where only its owner reads it. */
export async function saveLogin(env: NodeJS.ProcessEnv, { url, ca, apiKey }: Login): Promise<string> {
  const path = loginPath(env);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeAtomically(path, `${JSON.stringify({ url, ca, api_key: apiKey }, null, 2)}\n`, 0o600);
  return path;
}

export async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CommandFailure(`the CA file: ${(error as Error).message}`, exitCodes.usage);
  }
}

function loginPath(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config"), "certctl", "login.json");
}

async function readStored(env: NodeJS.ProcessEnv): Promise<Login | undefined> {
  const path = loginPath(env);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { url, ca, api_key: apiKey } = storedLogin.parse(JSON.parse(text));
    return { url, ca, apiKey };
  } catch {
    throw new CommandFailure(`${path} is damaged: run certctl login again`, exitCodes.usage);
  }
}
