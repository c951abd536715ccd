import { join, resolve } from "node:path";
import type { ThrottleLimits } from "./auth/throttle.ts";
import type { TokenSettings } from "./platform/hardware-token.ts";
import { defaultDataDir, readSettings } from "./platform/settings.ts";
import { StartupError } from "./platform/startup-error.ts";
import { decodeKey, serverSecrets, serverSettings } from "./server-settings.ts";
import { isLoopback } from "./x509/names.ts";

/** Settings of the control plane; every problem with them is reported at once. */
export interface Config {
  dataDir: string;
  port: number;
  demoPort: number;
  listenAddress: string;
  /** Where agents and operators reach this control plane. */
  serverUrl: URL;
  /** Plain HTTP for revocation data and ACME's http-01. */
  pki: {
    /** Undefined: not served. */
    port: number | undefined;
    address: string;
    /** What certificates name, without a slash at the end; null: they name nothing. */
    url: string | null;
  };
  /** The hardware token that holds CA keys; null: there is none. */
  token: TokenSettings | null;
  /** none: programs on this machine do everything without a credential. */
  authType: "api-key" | "none";
  throttle: ThrottleLimits;
  /** server: the control plane makes the private keys, for demonstrations. */
  keygenMode: "agent" | "server";
  agentAuth: "mtls" | "api_key" | "both";
  agentIdentityHours: number;
  drainGraceMs: number;
  /** CIDRs of internal addresses that connectors may connect to. */
  egressAllow: string[];
  /** server.yaml. */
  serverFile: string;
  /** How often the scheduled tasks run. */
  everyMs: {
    jobs: number;
    renewals: number;
    renewalInformation: number;
    validations: number;
    agents: number;
    expiryAlerts: number;
    notifications: number;
    auditSeal: number;
    policies: number;
    revocationData: number;
    sessions: number;
  };
  renewals: {
    /** Renewals that are due together are spread over this time. */
    jitterMs: number;
    /** How many renewals before their planned time need nobody's yes a day. */
    early: { share: number; atLeast: number };
  };
  logLevel: string;
  /** Undefined: an embedded PostgreSQL in the data directory. */
  databaseUrl: string | undefined;
  /** 32 octets; undefined only with the embedded database, which has one made. */
  encryptionKey: Buffer | undefined;
  /** 32 octets each. */
  decryptionKeys: Buffer[];
}

/** Reads the environment. Throws StartupError naming every variable that is wrong. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const settings = readSettings(env, serverSettings, serverSecrets);
  if (settings.DATABASE_URL && !settings.CERTCTL_CONFIG_ENCRYPTION_KEY) {
    throw new StartupError(
      "DATABASE_URL is set without CERTCTL_CONFIG_ENCRYPTION_KEY (or _FILE), which seals the keys in the database; make one with: openssl rand -base64 32",
    );
  }
  if (settings.CERTCTL_AUTH_TYPE === "none" && !isLoopback(settings.CERTCTL_LISTEN_ADDRESS)) {
    throw new StartupError(
      `CERTCTL_AUTH_TYPE is none, which is for this machine only, but CERTCTL_LISTEN_ADDRESS is ${settings.CERTCTL_LISTEN_ADDRESS}; set it to 127.0.0.1`,
    );
  }
  const dataDir = resolve(settings.CERTCTL_DATA_DIR ?? defaultDataDir(env));
  return {
    dataDir,
    port: settings.CERTCTL_PORT,
    demoPort: settings.CERTCTL_DEMO_PORT,
    listenAddress: settings.CERTCTL_LISTEN_ADDRESS,
    serverUrl: new URL(settings.CERTCTL_SERVER_URL ?? `https://localhost:${settings.CERTCTL_PORT}`),
    pki: {
      port: settings.CERTCTL_PKI_PORT,
      address: settings.CERTCTL_PKI_ADDRESS ?? settings.CERTCTL_LISTEN_ADDRESS,
      url: settings.CERTCTL_PKI_URL?.replace(/\/+$/, "") ?? null,
    },
    token: tokenOf(settings),
    authType: settings.CERTCTL_AUTH_TYPE,
    throttle: {
      callsPerSecond: settings.CERTCTL_RATE_LIMIT,
      callsBurst: settings.CERTCTL_RATE_BURST,
      failuresPerMinute: settings.CERTCTL_AUTH_FAILURES_PER_MINUTE,
    },
    keygenMode: settings.CERTCTL_KEYGEN_MODE,
    agentAuth: settings.CERTCTL_AGENT_AUTH,
    agentIdentityHours: settings.CERTCTL_AGENT_IDENTITY_HOURS,
    drainGraceMs: settings.CERTCTL_DRAIN_GRACE,
    egressAllow: settings.CERTCTL_EGRESS_ALLOW,
    serverFile: resolve(settings.CERTCTL_SERVER_FILE ?? join(dataDir, "server.yaml")),
    everyMs: {
      jobs: settings.CERTCTL_JOB_SWEEP_SECONDS * 1000,
      expiryAlerts: settings.CERTCTL_EXPIRY_ALERT_SECONDS * 1000,
      notifications: settings.CERTCTL_NOTIFICATION_SWEEP_SECONDS * 1000,
      auditSeal: settings.CERTCTL_AUDIT_SEAL_SECONDS * 1000,
      policies: settings.CERTCTL_POLICY_CHECK_SECONDS * 1000,
      revocationData: settings.CERTCTL_REVOCATION_DATA_SECONDS * 1000,
      sessions: settings.CERTCTL_SESSION_PRUNE_SECONDS * 1000,
      renewals: settings.CERTCTL_RENEWAL_CHECK_SECONDS * 1000,
      renewalInformation: settings.CERTCTL_RENEWAL_INFORMATION_SECONDS * 1000,
      validations: settings.CERTCTL_VALIDATION_SECONDS * 1000,
      agents: settings.CERTCTL_AGENT_HEALTH_SECONDS * 1000,
    },
    renewals: {
      jitterMs: settings.CERTCTL_RENEWAL_JITTER_SECONDS * 1000,
      early: {
        share: settings.CERTCTL_EARLY_RENEWALS_PERCENT / 100,
        atLeast: settings.CERTCTL_EARLY_RENEWALS_AT_LEAST,
      },
    },
    logLevel: settings.CERTCTL_LOG_LEVEL,
    databaseUrl: settings.DATABASE_URL,
    encryptionKey: decodeKey(settings.CERTCTL_CONFIG_ENCRYPTION_KEY),
    decryptionKeys: settings.CERTCTL_CONFIG_DECRYPTION_KEYS,
  };
}

function tokenOf(settings: {
  CERTCTL_PKCS11_MODULE?: string | undefined;
  CERTCTL_PKCS11_TOKEN: string;
  CERTCTL_PKCS11_PIN?: string | undefined;
}): TokenSettings | null {
  const { CERTCTL_PKCS11_MODULE: module, CERTCTL_PKCS11_TOKEN: token, CERTCTL_PKCS11_PIN: pin } = settings;
  if (module === undefined) return null;
  if (pin === undefined)
    throw new StartupError("CERTCTL_PKCS11_MODULE is set without CERTCTL_PKCS11_PIN (or _FILE)");
  return { module, token, pin };
}
