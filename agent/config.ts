import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { defaultDataDir, readSettings } from "../src/platform/settings.ts";
import { StartupError } from "../src/platform/startup-error.ts";
import { parseJoin } from "../src/x509/pin.ts";

/** What may be set; docs/configuration.md has a line for each. */
export const agentSettings = z.object({
  CERTCTL_DATA_DIR: z.string().optional().meta({
    description: "The identity and the agent's own records lie in `agent/` below it",
    whenUnset: "as for the control plane",
  }),
  CERTCTL_KEY_DIR: z
    .string()
    .optional()
    .meta({ description: "Private keys. One agent at a time", whenUnset: "`<data directory>/agent/keys`" }),
  CERTCTL_AGENT_CONFIG: z.string().optional().meta({
    description: "What the host's owner allows, see below",
    whenUnset: "`<data directory>/agent/agent.yaml`",
  }),
  CERTCTL_AGENT_NAME: z
    .string()
    .max(128)
    .optional()
    .meta({ description: "Shown to operators", whenUnset: "the host's name" }),
  CERTCTL_SERVER_URL: z
    .url({ protocol: /^https$/ })
    .optional()
    .meta({ description: "Where the control plane is now", whenUnset: "the one of the join string" }),
  CERTCTL_JOIN: z.string().optional().meta({
    description: "The join string: URL, token and CA pin. Needed once; an agent with an identity ignores it",
  }),
  CERTCTL_API_KEY: z
    .string()
    .regex(/^ak-[a-z0-9-]+_[A-Za-z0-9_-]{43}$/, "is no API key (ak-…_…)")
    .optional()
    .meta({
      description:
        "Instead of joining, with `CERTCTL_CA_PIN` and `CERTCTL_SERVER_URL`: the key that `POST /api/v1/agents` answered",
    }),
  CERTCTL_ACCEPT_SERVER_KEYS: z.stringbool().default(false).meta({
    description:
      "`true`: takes private keys that a control plane with `CERTCTL_KEYGEN_MODE=server` made. For demonstrations only",
  }),
  CERTCTL_CA_PIN: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 hexadecimal digits")
    .optional()
    .meta({ description: "The pin that `POST /api/v1/agents` answered" }),
  CERTCTL_LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .meta({ description: "`debug`, `info`, `warn`, `error` or `silent`; JSON lines on standard error" }),
});

export const agentSecrets = ["CERTCTL_JOIN", "CERTCTL_API_KEY"];

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
  /** Whether a private key may come from the control plane. */
  acceptServerKeys: boolean;
  logLevel: string;
}

/** Reads the environment. Throws StartupError naming every variable that is wrong. */
export function loadAgentConfig(env: NodeJS.ProcessEnv): AgentConfig {
  const settings = readSettings(env, agentSettings, agentSecrets);
  const stateDir = join(resolve(settings.CERTCTL_DATA_DIR ?? defaultDataDir(env)), "agent");
  return {
    stateDir,
    keyDir: resolve(settings.CERTCTL_KEY_DIR ?? join(stateDir, "keys")),
    hostFilePath: resolve(settings.CERTCTL_AGENT_CONFIG ?? join(stateDir, "agent.yaml")),
    name: settings.CERTCTL_AGENT_NAME ?? hostname(),
    hostname: hostname(),
    server: settings.CERTCTL_SERVER_URL === undefined ? undefined : new URL(settings.CERTCTL_SERVER_URL),
    introduction: introductionOf(settings),
    acceptServerKeys: settings.CERTCTL_ACCEPT_SERVER_KEYS,
    logLevel: settings.CERTCTL_LOG_LEVEL,
  };
}

function introductionOf(settings: z.infer<typeof agentSettings>): Introduction {
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
