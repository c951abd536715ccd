import { z } from "zod";
import { CidrError, cidrList } from "./platform/address.ts";

const port = z.coerce.number().int().min(1).max(65_535);
const keyPattern = /^(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)$/;
const keyDescription = "must be 32 octets as 64 hexadecimal digits or as base64";
const milliseconds = z.coerce.number().int().min(0);
const interval = (defaultSeconds: number) =>
  z.coerce.number().int().min(1).max(86_400).default(defaultSeconds);

/** What may be set; docs/configuration.md has a line for each. */
export const serverSettings = z.object({
  CERTCTL_DATA_DIR: z.string().optional().meta({
    description:
      "One process at a time. Holds `admin.key` (written at the first start, and at one that finds no admin key in force), `ca.pem`, and the embedded database",
    whenUnset: "`/var/lib/certctl` for root, else `$XDG_DATA_HOME/certctl` or `~/.local/share/certctl`",
  }),
  CERTCTL_PORT: port.default(8443).meta({ description: "Port of the API: HTTPS, HTTP/1.1 and HTTP/2" }),
  CERTCTL_DEMO_PORT: port.default(9443).meta({ description: "The sample workload of `npm start`" }),
  CERTCTL_LISTEN_ADDRESS: z
    .string()
    .default("127.0.0.1")
    .meta({ description: "`0.0.0.0` for agents on other hosts" }),
  CERTCTL_PKI_PORT: port.optional().meta({
    description:
      "Port of plain HTTP for what cannot be had over TLS: CRLs, OCSP, CA certificates and the answers to ACME's http-01. Nothing else is served there",
    whenUnset: "not served",
  }),
  CERTCTL_PKI_ADDRESS: z.string().optional().meta({
    description: "Where that port listens",
    whenUnset: "as `CERTCTL_LISTEN_ADDRESS`",
  }),
  CERTCTL_PKCS11_MODULE: z.string().optional().meta({
    description:
      "The PKCS #11 library of a hardware token, `/usr/lib/softhsm/libsofthsm2.so`: authorities may have their keys made in it. The same token on every control plane",
    whenUnset: "none",
  }),
  CERTCTL_PKCS11_TOKEN: z.string().default("certctl").meta({ description: "The token's label" }),
  CERTCTL_PKCS11_PIN: z.string().optional().meta({ description: "The token's user PIN" }),
  CERTCTL_PKI_URL: z
    .url({ protocol: /^http$/ })
    .optional()
    .meta({
      description:
        "Where everyone who meets a certificate reaches that port: `http://pki.example`. Certificates of the local CA name it; without it they carry no revocation data",
    }),
  CERTCTL_SERVER_URL: z
    .url({ protocol: /^https$/ })
    .optional()
    .meta({
      description:
        "Where agents and operators reach it. Its host name goes into the server's own certificate, beside `localhost`, and into join strings; no managed certificate may carry it",
      whenUnset: "`https://localhost:<port>`",
    }),
  CERTCTL_KEYGEN_MODE: z.enum(["agent", "server"]).default("agent").meta({
    description:
      "Where private keys are made. `server` is for demonstrations: keys are made in the control plane, for the local CA only, and handed to agents that accept them (`CERTCTL_ACCEPT_SERVER_KEYS`)",
  }),
  CERTCTL_AUTH_TYPE: z.enum(["api-key", "none"]).default("api-key").meta({
    description:
      "`none`: programs on this machine do everything without a key. Only on a loopback listener, never through a proxy; for a first look",
  }),
  CERTCTL_RATE_LIMIT: z.coerce.number().min(0).default(200).meta({
    description:
      "Calls a second of one key or agent; above it 429 with `Retry-After`. `0` for no limit. Each control plane counts for itself",
  }),
  CERTCTL_RATE_BURST: z.coerce
    .number()
    .int()
    .min(1)
    .default(1_000)
    .meta({ description: "How many calls of one key or agent may come at once" }),
  CERTCTL_AUTH_FAILURES_PER_MINUTE: z.coerce.number().int().min(1).default(20).meta({
    description:
      "Wrong API keys and join tokens from one address (IPv6: one /64); then 429, except for keys that worked before",
  }),
  CERTCTL_AGENT_AUTH: z
    .enum(["mtls", "api_key", "both"])
    .default("both")
    .meta({ description: "How agents prove who they are: `mtls`, `api_key` or `both`" }),
  CERTCTL_AGENT_IDENTITY_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .max(168)
    .default(24)
    .meta({ description: "Life of an agent's client certificate, 1 to 168; it is renewed at half of it" }),
  CERTCTL_AGENT_HEALTH_SECONDS: interval(120).meta({
    description: "How often lost agents are looked for; what they held is given back then",
  }),
  CERTCTL_DRAIN_GRACE: milliseconds
    .default(5_000)
    .meta({ description: "Milliseconds that a stop gives to calls that are under way" }),
  CERTCTL_EGRESS_ALLOW: z.string().default("").transform(readCidrs).meta({
    description:
      "Internal addresses that notifiers and other connectors may connect to, as CIDRs: `10.1.0.0/16, ::1/128`. Without it loopback and private addresses are refused; link-local and metadata addresses always are",
  }),
  CERTCTL_SERVER_FILE: z.string().optional().meta({
    description:
      "What connectors may have run on this host: [server.yaml](issuers.md#serveryaml). It is read again for every use",
    whenUnset: "`server.yaml` in the data directory",
  }),
  CERTCTL_EXPIRY_ALERT_SECONDS: interval(3_600).meta({
    description: "How often certificates are compared with their alert thresholds",
  }),
  CERTCTL_JOB_SWEEP_SECONDS: interval(30).meta({
    description:
      "How often jobs that were lost on the way are picked up; work itself is pushed and waits for no timer",
  }),
  CERTCTL_NOTIFICATION_SWEEP_SECONDS: interval(60).meta({
    description:
      "How often notifications that wait are looked for; each is sent at once, this is the safety net",
  }),
  CERTCTL_AUDIT_SEAL_SECONDS: interval(60).meta({
    description:
      "How often settled audit rows are sealed; younger rows are protected by nothing but the database: [audit.md](audit.md)",
  }),
  CERTCTL_POLICY_CHECK_SECONDS: interval(3_600).meta({
    description:
      "How often every certificate is held to the policy rules; a write and a changed rule do it at once",
  }),
  CERTCTL_REVOCATION_DATA_SECONDS: interval(300).meta({
    description:
      "How often CRLs and OCSP responders that are about to end are looked for; a revocation renews the CRL at once",
  }),
  CERTCTL_SESSION_PRUNE_SECONDS: interval(3_600).meta({
    description: "How often sessions that have ended are removed; they are refused at once",
  }),
  CERTCTL_RENEWAL_CHECK_SECONDS: interval(3600).meta({
    description: "How often certificates that are due are looked for",
  }),
  CERTCTL_RENEWAL_INFORMATION_SECONDS: interval(300).meta({
    description: "How often it is looked which CAs are to be asked again when they want certificates renewed",
  }),
  CERTCTL_RENEWAL_JITTER_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(3600)
    .meta({ description: "Renewals that are due together are spread over so long a time" }),
  CERTCTL_EARLY_RENEWALS_PERCENT: z.coerce.number().min(0).max(100).default(10).meta({
    description: "How much of the fleet may be renewed earlier than planned before a person has to say yes",
  }),
  CERTCTL_EARLY_RENEWALS_AT_LEAST: z.coerce
    .number()
    .int()
    .min(0)
    .default(50)
    .meta({ description: "So many early renewals are let through whatever the percentage says" }),
  CERTCTL_VALIDATION_SECONDS: interval(86_400).meta({
    description: "How often it is looked at what targets really serve",
  }),
  CERTCTL_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").meta({
    description: "`debug`, `info`, `warn`, `error` or `silent`; JSON lines on standard error",
    whenUnset: "`info` (`npm start`: `warn`)",
  }),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must begin with postgresql://")
    .optional()
    .meta({
      description:
        "`postgresql://user:password@host/database`; tested with PostgreSQL 18. Migrations run at the start; several control planes may share one",
      whenUnset: "an embedded PostgreSQL",
    }),
  CERTCTL_CONFIG_ENCRYPTION_KEY: z.string().regex(keyPattern, keyDescription).optional().meta({
    description:
      "32 octets, base64 or hexadecimal: `openssl rand -base64 32`. Seals the CA keys in the database, so every control plane over it needs the same",
    whenUnset: "with the embedded database, made in the data directory",
  }),
  CERTCTL_CONFIG_DECRYPTION_KEYS: z.string().default("").transform(readKeys).meta({
    description:
      "Further keys that open what is sealed in the database, separated by commas: while the encryption key is changed, the one before or the one to come: [keys.md](keys.md)",
  }),
});

export const serverSecrets = [
  "DATABASE_URL",
  "CERTCTL_PKCS11_PIN",
  "CERTCTL_CONFIG_ENCRYPTION_KEY",
  "CERTCTL_CONFIG_DECRYPTION_KEYS",
];

function readKeys(text: string, context: z.RefinementCtx): Buffer[] {
  const keys = text.split(/[\s,]+/).filter((part) => part !== "");
  if (keys.some((key) => !keyPattern.test(key)))
    context.addIssue({ code: "custom", message: `each ${keyDescription}` });
  return keys.flatMap((key) => decodeKey(key) ?? []);
}

function readCidrs(text: string, context: z.RefinementCtx): string[] {
  const cidrs = text.split(/[\s,]+/).filter((part) => part !== "");
  try {
    cidrList(cidrs);
  } catch (error) {
    if (!(error instanceof CidrError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
  return cidrs;
}

export function decodeKey(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  return Buffer.from(text, text.length === 64 ? "hex" : "base64");
}
