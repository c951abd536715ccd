import { readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { StartupError } from "./platform/startup-error.ts";

const port = z.coerce.number().int().min(1).max(65_535);
const milliseconds = z.coerce.number().int().min(0);

const schema = z.object({
  CERTCTL_DATA_DIR: z.string().min(1).optional(),
  CERTCTL_PORT: port.default(8443),
  CERTCTL_DEMO_PORT: port.default(9443),
  CERTCTL_LISTEN_ADDRESS: z.string().min(1).default("127.0.0.1"),
  CERTCTL_SERVER_URL: z.url({ protocol: /^https$/ }).optional(),
  CERTCTL_KEYGEN_MODE: z.literal("agent").default("agent"),
  CERTCTL_AGENT_AUTH: z.enum(["mtls", "api_key", "both"]).default("both"),
  CERTCTL_AGENT_IDENTITY_HOURS: z.coerce.number().int().min(1).max(168).default(24),
  CERTCTL_DRAIN_GRACE: milliseconds.default(5_000),
  CERTCTL_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  CERTCTL_CONFIG_ENCRYPTION_KEY: z
    .string()
    .regex(
      /^(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)$/,
      "must be 32 octets as 64 hexadecimal digits or as base64",
    )
    .optional(),
});

/** Settings of the control plane; every problem with them is reported at once. */
export interface Config {
  dataDir: string;
  port: number;
  demoPort: number;
  listenAddress: string;
  /** Where agents and operators reach this control plane. */
  serverUrl: URL;
  agentAuth: "mtls" | "api_key" | "both";
  agentIdentityHours: number;
  drainGraceMs: number;
  logLevel: string;
  /** Undefined: an embedded PostgreSQL in the data directory. */
  databaseUrl: string | undefined;
  /** 32 octets; undefined only with the embedded database, which has one made. */
  encryptionKey: Buffer | undefined;
}

const secrets = ["DATABASE_URL", "CERTCTL_CONFIG_ENCRYPTION_KEY"] as const;

/** Reads the environment. Throws StartupError naming every variable that is wrong. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const read = schema.safeParse({ ...env, ...readSecretFiles(env) });
  if (!read.success) {
    const problems = read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    throw new StartupError(`the configuration is wrong: ${problems.join("; ")}`);
  }
  const settings = read.data;
  if (settings.DATABASE_URL && !settings.CERTCTL_CONFIG_ENCRYPTION_KEY) {
    throw new StartupError(
      "DATABASE_URL is set without CERTCTL_CONFIG_ENCRYPTION_KEY (or _FILE): the keys in a shared database are sealed with it; make one with: openssl rand -base64 32",
    );
  }
  return {
    dataDir: settings.CERTCTL_DATA_DIR ?? defaultDataDir(env),
    port: settings.CERTCTL_PORT,
    demoPort: settings.CERTCTL_DEMO_PORT,
    listenAddress: settings.CERTCTL_LISTEN_ADDRESS,
    serverUrl: new URL(settings.CERTCTL_SERVER_URL ?? `https://localhost:${settings.CERTCTL_PORT}`),
    agentAuth: settings.CERTCTL_AGENT_AUTH,
    agentIdentityHours: settings.CERTCTL_AGENT_IDENTITY_HOURS,
    drainGraceMs: settings.CERTCTL_DRAIN_GRACE,
    logLevel: settings.CERTCTL_LOG_LEVEL,
    databaseUrl: settings.DATABASE_URL,
    encryptionKey: decodeKey(settings.CERTCTL_CONFIG_ENCRYPTION_KEY),
  };
}

/** /var/lib/certctl for root, else $XDG_DATA_HOME/certctl. */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (userInfo().uid === 0) return "/var/lib/certctl";
  return join(env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share"), "certctl");
}

function readSecretFiles(env: NodeJS.ProcessEnv): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of secrets) {
    const path = env[`${name}_FILE`];
    if (path === undefined) continue;
    if (env[name] !== undefined) throw new StartupError(`${name} and ${name}_FILE are both set; keep one`);
    try {
      found[name] = readFileSync(path, "utf8").trim();
    } catch (error) {
      throw new StartupError(`${name}_FILE: ${(error as Error).message}`);
    }
  }
  return found;
}

function decodeKey(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  return Buffer.from(text, text.length === 64 ? "hex" : "base64");
}
