import { readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { StartupError } from "./startup-error.ts";

/**
 * Reads settings from the environment. A secret may stand in a file that `<NAME>_FILE` names. Throws StartupError naming
 * every variable that is wrong.
 */
export function readSettings<Settings>(
  env: NodeJS.ProcessEnv,
  schema: z.ZodType<Settings>,
  secrets: readonly string[],
): Settings {
  const set = Object.entries({ ...env, ...readSecretFiles(env, secrets) }).filter(
    ([, value]) => value !== "",
  );
  const read = schema.safeParse(Object.fromEntries(set));
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new StartupError(`the configuration is wrong: ${problems.join("; ")}`);
}

/** /var/lib/certctl for root, else $XDG_DATA_HOME/certctl. */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (userInfo().uid === 0) return "/var/lib/certctl";
  return join(env["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "certctl");
}

function readSecretFiles(env: NodeJS.ProcessEnv, secrets: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of secrets) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    if (env[name]) throw new StartupError(`${name} and ${name}_FILE are both set; keep one`);
    try {
      found[name] = readFileSync(path, "utf8").trim();
    } catch (error) {
      throw new StartupError(`${name}_FILE: ${(error as Error).message}`);
    }
  }
  return found;
}
