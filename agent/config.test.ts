import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { StartupError } from "../src/platform/startup-error.ts";
import { openScratch } from "../test/openssl.ts";
import { loadAgentConfig } from "./config.ts";

const secret = "S".repeat(43);
const pin = `sha256:${"ab".repeat(32)}`;
const join = `https://certctl.example:8443/#token=jt-one_${secret}&ca=${pin}`;
const byKey = {
  CERTCTL_API_KEY: `ak-one_${secret}`,
  CERTCTL_SERVER_URL: "https://certctl.example",
  CERTCTL_CA_PIN: pin,
};

function problem(env: NodeJS.ProcessEnv): string {
  try {
    loadAgentConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError);
    return (error as Error).message;
  }
  throw new Error("the configuration was accepted");
}

describe("the agent's configuration", () => {
  test("keeps everything below the data directory unless told otherwise", () => {
    expect(loadAgentConfig({ CERTCTL_DATA_DIR: "data" })).toMatchObject({
      stateDir: resolve("data/agent"),
      keyDir: resolve("data/agent/keys"),
      hostFilePath: resolve("data/agent/agent.yaml"),
      server: undefined,
      introduction: { kind: "none" },
      logLevel: "info",
    });
    const env = {
      CERTCTL_KEY_DIR: "/keys",
      CERTCTL_AGENT_CONFIG: "/etc/agent.yaml",
      CERTCTL_AGENT_NAME: "web-1",
    };
    expect(loadAgentConfig(env)).toMatchObject({
      keyDir: "/keys",
      hostFilePath: "/etc/agent.yaml",
      name: "web-1",
    });
  });

  test("is introduced by a join string, set or in a file", async () => {
    const introduction = {
      kind: "join",
      server: new URL("https://certctl.example:8443/"),
      token: `jt-one_${secret}`,
      pin,
    };
    expect(loadAgentConfig({ CERTCTL_JOIN: join }).introduction).toEqual(introduction);
    await using scratch = await openScratch();
    const env = { CERTCTL_JOIN_FILE: await scratch.file("join", `${join}\n`) };
    expect(loadAgentConfig(env).introduction).toEqual(introduction);
  });

  test("is introduced by an API key with the server and its pin", () => {
    expect(loadAgentConfig(byKey).introduction).toEqual({
      kind: "api_key",
      server: new URL("https://certctl.example"),
      apiKey: byKey.CERTCTL_API_KEY,
      pin,
    });
  });
});

describe("the agent's configuration is refused", () => {
  test.each(["CERTCTL_SERVER_URL", "CERTCTL_CA_PIN"])("for an API key without %s", (name) => {
    expect(problem({ ...byKey, [name]: "" })).toContain("needs CERTCTL_SERVER_URL and CERTCTL_CA_PIN");
  });

  test.each([
    ["no URL", "certctl"],
    ["plain HTTP", join.replace("https", "http")],
    ["no token", `https://certctl.example/#ca=${pin}`],
    ["no pin", `https://certctl.example/#token=jt-one_${secret}`],
  ])("for a join string with %s, without repeating the secret", (_what, text) => {
    const message = problem({ CERTCTL_JOIN: text });
    expect(message).toMatch(/^CERTCTL_JOIN: /);
    expect(message).not.toContain(secret);
  });

  test("for everything that is wrong at once, without repeating a secret", () => {
    const wrong = {
      CERTCTL_SERVER_URL: "http://certctl.example",
      CERTCTL_API_KEY: `ak-one_${secret}${secret}`,
      CERTCTL_CA_PIN: "md5:1",
      CERTCTL_LOG_LEVEL: "loud",
      CERTCTL_AGENT_NAME: "x".repeat(129),
    };
    const message = problem(wrong);
    for (const name of Object.keys(wrong)) expect(message).toContain(`${name}: `);
    expect(message).not.toContain(secret);
  });

  test("for a secret that is set twice", () => {
    expect(problem({ CERTCTL_JOIN: join, CERTCTL_JOIN_FILE: "/join" })).toContain("are both set; keep one");
  });
});
