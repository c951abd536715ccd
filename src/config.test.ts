import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { openScratch } from "../test/openssl.ts";
import { loadConfig } from "./config.ts";
import { StartupError } from "./platform/startup-error.ts";

const hexKey = "0123456789abcdef".repeat(4);
const otherKey = Buffer.alloc(32, 7).toString("base64");
const databaseUrl = "postgresql://certctl:hunter2@db.example/certctl";

function problem(env: NodeJS.ProcessEnv): string {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError);
    return (error as Error).message;
  }
  throw new Error("the configuration was accepted");
}

describe("the configuration", () => {
  test("has a default for everything", () => {
    expect(loadConfig({})).toMatchObject({
      dataDir: expect.stringMatching(/^\/.*certctl$/),
      port: 8443,
      demoPort: 9443,
      listenAddress: "127.0.0.1",
      serverUrl: new URL("https://localhost:8443"),
      pki: { port: undefined, address: "127.0.0.1", url: null },
      token: null,
      authType: "api-key",
      throttle: { callsPerSecond: 200, callsBurst: 1_000, failuresPerMinute: 20 },
      keygenMode: "agent",
      agentAuth: "both",
      agentIdentityHours: 24,
      drainGraceMs: 5_000,
      egressAllow: [],
      serverFile: expect.stringMatching(/^\/.*certctl\/server\.yaml$/),
      everyMs: {
        jobs: 30_000,
        renewals: 3_600_000,
        renewalInformation: 300_000,
        validations: 86_400_000,
        agents: 120_000,
        expiryAlerts: 3_600_000,
        notifications: 60_000,
        auditSeal: 60_000,
        policies: 3_600_000,
        revocationData: 300_000,
      },
      renewals: { jitterMs: 3_600_000, early: { share: 0.1, atLeast: 50 } },
      logLevel: "info",
      databaseUrl: undefined,
      encryptionKey: undefined,
    });
  });

  test("takes every variable", () => {
    const env = {
      CERTCTL_DATA_DIR: "data",
      CERTCTL_PORT: "443",
      CERTCTL_DEMO_PORT: "444",
      CERTCTL_LISTEN_ADDRESS: "::",
      CERTCTL_SERVER_URL: "https://certctl.example:8000",
      CERTCTL_PKCS11_MODULE: "/lib/token.so",
      CERTCTL_PKCS11_TOKEN: "ca",
      CERTCTL_PKCS11_PIN: "1234",
      CERTCTL_PKI_PORT: "80",
      CERTCTL_PKI_ADDRESS: "0.0.0.0",
      CERTCTL_PKI_URL: "http://pki.example/certctl/",
      CERTCTL_KEYGEN_MODE: "server",
      CERTCTL_JOB_SWEEP_SECONDS: "7",
      CERTCTL_EXPIRY_ALERT_SECONDS: "8",
      CERTCTL_NOTIFICATION_SWEEP_SECONDS: "9",
      CERTCTL_AUDIT_SEAL_SECONDS: "10",
      CERTCTL_RENEWAL_CHECK_SECONDS: "60",
      CERTCTL_RENEWAL_INFORMATION_SECONDS: "21",
      CERTCTL_RENEWAL_JITTER_SECONDS: "0",
      CERTCTL_EARLY_RENEWALS_PERCENT: "25",
      CERTCTL_EARLY_RENEWALS_AT_LEAST: "5",
      CERTCTL_VALIDATION_SECONDS: "3600",
      CERTCTL_POLICY_CHECK_SECONDS: "11",
      CERTCTL_REVOCATION_DATA_SECONDS: "13",
      CERTCTL_SESSION_PRUNE_SECONDS: "12",
      CERTCTL_AGENT_HEALTH_SECONDS: "12",
      CERTCTL_AUTH_TYPE: "api-key",
      CERTCTL_RATE_LIMIT: "0",
      CERTCTL_RATE_BURST: "7",
      CERTCTL_AUTH_FAILURES_PER_MINUTE: "8",
      CERTCTL_AGENT_AUTH: "mtls",
      CERTCTL_AGENT_IDENTITY_HOURS: "168",
      CERTCTL_DRAIN_GRACE: "0",
      CERTCTL_EGRESS_ALLOW: "10.0.0.0/8, fd00::/8",
      CERTCTL_SERVER_FILE: "/etc/certctl/server.yaml",
      CERTCTL_LOG_LEVEL: "debug",
      DATABASE_URL: databaseUrl,
      CERTCTL_CONFIG_ENCRYPTION_KEY: hexKey,
      CERTCTL_CONFIG_DECRYPTION_KEYS: `${otherKey}, ${hexKey}`,
    };
    expect(loadConfig(env)).toEqual({
      dataDir: resolve("data"),
      port: 443,
      demoPort: 444,
      listenAddress: "::",
      serverUrl: new URL("https://certctl.example:8000"),
      pki: { port: 80, address: "0.0.0.0", url: "http://pki.example/certctl" },
      token: { module: "/lib/token.so", token: "ca", pin: "1234" },
      authType: "api-key",
      throttle: { callsPerSecond: 0, callsBurst: 7, failuresPerMinute: 8 },
      keygenMode: "server",
      agentAuth: "mtls",
      agentIdentityHours: 168,
      drainGraceMs: 0,
      egressAllow: ["10.0.0.0/8", "fd00::/8"],
      serverFile: "/etc/certctl/server.yaml",
      everyMs: {
        jobs: 7_000,
        renewals: 60_000,
        renewalInformation: 21_000,
        validations: 3_600_000,
        agents: 12_000,
        expiryAlerts: 8_000,
        notifications: 9_000,
        auditSeal: 10_000,
        policies: 11_000,
        revocationData: 13_000,
        sessions: 12_000,
      },
      renewals: { jitterMs: 0, early: { share: 0.25, atLeast: 5 } },
      logLevel: "debug",
      databaseUrl,
      encryptionKey: Buffer.from(hexKey, "hex"),
      decryptionKeys: [Buffer.from(otherKey, "base64"), Buffer.from(hexKey, "hex")],
    });
  });

  test("takes the port into the URL that is its default", () => {
    expect(loadConfig({ CERTCTL_PORT: "9000" }).serverUrl.href).toBe("https://localhost:9000/");
  });

  test("takes an empty variable for one that is not set", () => {
    expect(loadConfig({ CERTCTL_PORT: "", DATABASE_URL: "", CERTCTL_LOG_LEVEL: "" })).toEqual(loadConfig({}));
  });

  test("asks for no key only on a listener that this machine alone reaches", () => {
    expect(loadConfig({ CERTCTL_AUTH_TYPE: "none" }).authType).toBe("none");
    for (const address of ["0.0.0.0", "::", "192.0.2.1"]) {
      const env = { CERTCTL_AUTH_TYPE: "none", CERTCTL_LISTEN_ADDRESS: address };
      expect(() => loadConfig(env)).toThrow(`CERTCTL_LISTEN_ADDRESS is ${address}; set it to 127.0.0.1`);
    }
  });

  test("puts data below the user's own directory", () => {
    const { dataDir } = loadConfig({ XDG_DATA_HOME: "/home/user/data" });
    expect(dataDir).toBe(process.getuid?.() === 0 ? "/var/lib/certctl" : "/home/user/data/certctl");
  });

  test("takes the wrapping key as hexadecimal digits or base64", () => {
    const key = Buffer.from(hexKey, "hex");
    for (const text of [hexKey, hexKey.toUpperCase(), key.toString("base64")]) {
      expect(loadConfig({ CERTCTL_CONFIG_ENCRYPTION_KEY: text }).encryptionKey).toEqual(key);
    }
  });
});

describe("a secret in a file", () => {
  test("is read without the end of its line", async () => {
    await using scratch = await openScratch();
    const env = {
      DATABASE_URL_FILE: await scratch.file("url", `${databaseUrl}\n`),
      CERTCTL_CONFIG_ENCRYPTION_KEY_FILE: await scratch.file("key", `${hexKey}\n`),
    };
    expect(loadConfig(env)).toMatchObject({ databaseUrl, encryptionKey: Buffer.from(hexKey, "hex") });
  });

  test("is refused beside the variable itself", async () => {
    await using scratch = await openScratch();
    const path = await scratch.file("key", hexKey);
    const env = { CERTCTL_CONFIG_ENCRYPTION_KEY: hexKey, CERTCTL_CONFIG_ENCRYPTION_KEY_FILE: path };
    expect(problem(env)).toBe(
      "CERTCTL_CONFIG_ENCRYPTION_KEY and CERTCTL_CONFIG_ENCRYPTION_KEY_FILE are both set; keep one",
    );
  });

  test("that cannot be read is named", () => {
    const message = problem({ DATABASE_URL_FILE: "/nowhere/url" });
    expect(message).toContain("DATABASE_URL_FILE: ENOENT");
    expect(message).toContain("/nowhere/url");
  });

  test("is checked like the variable", async () => {
    await using scratch = await openScratch();
    const path = await scratch.file("key", "too short");
    expect(problem({ CERTCTL_CONFIG_ENCRYPTION_KEY_FILE: path })).toContain(
      "CERTCTL_CONFIG_ENCRYPTION_KEY: must be",
    );
    expect(problem({ CERTCTL_CONFIG_DECRYPTION_KEYS: `${hexKey},short` })).toContain(
      "CERTCTL_CONFIG_DECRYPTION_KEYS: each must be",
    );
  });
});

describe("a wrong configuration", () => {
  const wrong = {
    CERTCTL_PORT: "70000",
    CERTCTL_DEMO_PORT: "x",
    CERTCTL_SERVER_URL: "http://certctl.example",
    CERTCTL_KEYGEN_MODE: "both",
    CERTCTL_AGENT_AUTH: "password",
    CERTCTL_AGENT_IDENTITY_HOURS: "0.5",
    CERTCTL_DRAIN_GRACE: "-1",
    CERTCTL_LOG_LEVEL: "loud",
    DATABASE_URL: "mysql://root:hunter2@db.example",
    CERTCTL_CONFIG_ENCRYPTION_KEY: "hunter2",
  };

  test("is reported whole", () => {
    const message = problem(wrong);
    for (const name of Object.keys(wrong)) expect(message).toContain(`${name}: `);
  });

  test.each(Object.entries(wrong))("is reported for %s=%s alone", (name, value) => {
    expect(problem({ [name]: value })).toContain(`${name}: `);
  });

  test("is reported without the secrets in it", () => {
    expect(problem(wrong)).not.toContain("hunter2");
  });

  test("is a database without the key that seals what is in it", () => {
    const message = problem({ DATABASE_URL: databaseUrl });
    expect(message).toContain("DATABASE_URL is set without CERTCTL_CONFIG_ENCRYPTION_KEY");
    expect(message).not.toContain("hunter2");
  });
});
