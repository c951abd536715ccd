import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { defaultDataDir, readSettings } from "../src/platform/settings.ts";
import { StartupError } from "../src/platform/startup-error.ts";
import { parseJoin } from "../src/x509/pin.ts";

const schema = z.object({
  CERTCTL_DATA_DIR: z.string().optional(),
  CERTCTL_KEY_DIR: z.string().optional(),
  CERTCTL_AGENT_CONFIG: z.string().optional(),
  CERTCTL_AGENT_NAME: z.string().max(128).optional(),
  CERTCTL_SERVER_URL: z.url({ protocol: /^https$/ }).optional(),
  CERTCTL_JOIN: z.string().optional(),
  CERTCTL_API_KEY: z
    .string()
    .regex(/^ak-[a-z0-9-]+_[A-Za-z0-9_-]{43}$/, "is no API key (ak-…_…)")
    .optional(),
  CERTCTL_CA_PIN: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 hexadecimal digits")
    .optional(),
  CERTCTL_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
});

/** How the agent may become known to the control plane, beside an identity that it has already. */
export type Introduction =
  | { kind: "join"; server: URL; token: string; pin: string }
  | { kind: "api_key"; server: URL; apiKey: string; pin: string }
  | { kind: "none" };

export interface AgentConfig {
  /** Identity, outbox and what was applied. */
  stateDir: string;
  keyDir: string;
  /** agent.yaml: what the host's owner allows. */
  hostFilePath: string;
  name: string;
  hostname: string;
  /** Overrides where the identity says the control plane is. */
  server: URL | undefined;
  introduction: Introduction;
  logLevel: string;
}

/** Reads the environment. Throws StartupError naming every variable that is wrong. */
export function loadAgentConfig(env: NodeJS.ProcessEnv): AgentConfig {
  const settings = readSettings(env, schema, ["CERTCTL_JOIN", "CERTCTL_API_KEY"]);
  const stateDir = join(resolve(settings.CERTCTL_DATA_DIR ?? defaultDataDir(env)), "agent");
  return {
    stateDir,
    keyDir: resolve(settings.CERTCTL_KEY_DIR ?? join(stateDir, "keys")),
    hostFilePath: resolve(settings.CERTCTL_AGENT_CONFIG ?? join(stateDir, "agent.yaml")),
    name: settings.CERTCTL_AGENT_NAME ?? hostname(),
    hostname: hostname(),
    server: settings.CERTCTL_SERVER_URL === undefined ? undefined : new URL(settings.CERTCTL_SERVER_URL),
    introduction: introductionOf(settings),
    logLevel: settings.CERTCTL_LOG_LEVEL,
  };
}

function introductionOf(settings: z.infer<typeof schema>): Introduction {
  const {
    CERTCTL_JOIN: join,
    CERTCTL_API_KEY: apiKey,
    CERTCTL_CA_PIN: pin,
    CERTCTL_SERVER_URL: server,
  } = settings;
  if (apiKey !== undefined) {
    if (!server || !pin)
      throw new StartupError("CERTCTL_API_KEY needs CERTCTL_SERVER_URL and CERTCTL_CA_PIN beside it");
    return { kind: "api_key", server: new URL(server), apiKey, pin };
  }
  if (join === undefined) return { kind: "none" };
  try {
    return { kind: "join", ...parseJoin(join) };
  } catch (error) {
    throw new StartupError(`CERTCTL_JOIN: ${(error as Error).message}`);
  }
}
