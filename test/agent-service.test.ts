import { spawnSync } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type InstallWish, installAgent } from "../agent/service/install.ts";
import { writableOf } from "../agent/service/unit.ts";
import { runScript } from "./process.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./site.ts";
import { type System, startSystem } from "./system.ts";

/** What "certctl agent install" leaves on a host; systemd itself does not run here. */

const parts = new AsyncDisposableStack();
let system: System;
let disk: TemporaryDirectory;
const said: string[] = [];

beforeAll(async () => {
  system = parts.use(await startSystem());
  disk = parts.use(await temporaryDirectory());
}, 60_000);
afterAll(() => parts.disposeAsync());

const below = (path: string) => join(disk.path, path);
const modeOf = async (path: string) => ((await stat(below(path))).mode & 0o7777).toString(8);
const unitFile = "etc/systemd/system/certctl-agent.service";

async function install(changes: Partial<InstallWish> = {}): Promise<void> {
  said.length = 0;
  await installAgent({
    env: {},
    user: "root",
    root: disk.path,
    argv: ["/usr/bin/env", "node"],
    signal: new AbortController().signal,
    say: (line) => void said.push(line),
    ...changes,
  });
}

async function joinString(): Promise<string> {
  return (await system.rest("POST", "/api/v1/join-tokens", { agent_id: "ag-service" })).body.join;
}

function analyze(...args: string[]) {
  const end = spawnSync("systemd-analyze", args, { encoding: "utf8" });
  if (end.error) throw new Error("systemd-analyze is not installed: apt-get install -y systemd");
  return end;
}

test("it joins, keeps the settings for root alone, allows nothing, and writes a unit", async () => {
  await install({ env: { CERTCTL_JOIN: await joinString(), CERTCTL_AGENT_NAME: 'front door $1 "%h"' } });
  expect(said.join("\n")).toContain(`joined ${system.url}/ as ag-service`);
  expect(await modeOf("etc/certctl/agent.env")).toBe("600");
  expect(await modeOf("var/lib/certctl/agent")).toBe("700");
  expect(await modeOf("var/lib/certctl/agent/identity.json")).toBe("600");
  const settings = parseEnv(await readFile(below("etc/certctl/agent.env"), "utf8"));
  expect(settings).toEqual({
    CERTCTL_AGENT_NAME: 'front door $1 "%h"',
    CERTCTL_DATA_DIR: "/var/lib/certctl",
    CERTCTL_AGENT_CONFIG: "/etc/certctl/agent.yaml",
  });
  expect(await readFile(below("etc/certctl/agent.yaml"), "utf8")).toContain("targets: {}");
});

test("systemd takes the unit, and finds little that it leaves open", async () => {
  const verified = analyze("verify", "--man=no", "--recursive-errors=no", below(unitFile));
  expect(
    `${verified.stdout}${verified.stderr}`.split("\n").filter((line) => line.includes("certctl")),
  ).toEqual([]);
  expect(verified.status).toBe(0);
  const secured = analyze("security", "--offline=true", "--threshold=40", "--no-pager", below(unitFile));
  expect(secured.status, secured.stdout).toBe(0);
});

test("the agent starts from what was left, without any join string", async () => {
  const settings = parseEnv(await readFile(below("etc/certctl/agent.env"), "utf8")) as Record<string, string>;
  await using agent = runScript("agent/main.ts", {
    ...settings,
    CERTCTL_DATA_DIR: below("var/lib/certctl"),
    CERTCTL_AGENT_CONFIG: below("etc/certctl/agent.yaml"),
  });
  await agent.says('"msg":"connected"');
  const { body } = await system.rest("GET", "/api/v1/agents/ag-service");
  expect(body).toMatchObject({ status: "Online", name: 'front door $1 "%h"' });
});

test("run again, it lets the service write where agent.yaml lets it, and leaves the rest as it is", async () => {
  const text = 'allowed_directories: ["/etc/nginx/a \\"b\\" 5%", /srv/tls]\n';
  await writeFile(below("etc/certctl/agent.yaml"), text, { mode: 0o644 });
  const settings = await readFile(below("etc/certctl/agent.env"), "utf8");
  const identity = await readFile(below("var/lib/certctl/agent/identity.json"), "utf8");
  await install({ env: { CERTCTL_JOIN: await joinString() } });
  const unit = await readFile(below(unitFile), "utf8");
  expect(writableOf(unit)).toEqual(['/etc/nginx/a "b" 5%', "/srv/tls"]);
  expect(await readFile(below("etc/certctl/agent.yaml"), "utf8")).toBe(text);
  expect(await readFile(below("var/lib/certctl/agent/identity.json"), "utf8")).toBe(identity);
  expect(await readFile(below("etc/certctl/agent.env"), "utf8")).toBe(settings);
  expect(said.join("\n")).toContain("the agent is ag-service already");
  const verified = analyze("verify", "--man=no", "--recursive-errors=no", below(unitFile));
  expect(verified.status, verified.stderr).toBe(0);
});

test("another user gets the state, and no more rights than to listen on low ports", async () => {
  await install({ user: "nobody" });
  const unit = await readFile(below(unitFile), "utf8");
  expect(unit).toContain("User=nobody\n");
  expect(unit).toMatch(/^CapabilityBoundingSet=CAP_NET_BIND_SERVICE$/m);
  const nobody = Number(spawnSync("id", ["-u", "nobody"], { encoding: "utf8" }).stdout);
  for (const path of ["var/lib/certctl", "var/lib/certctl/agent", "var/lib/certctl/agent/identity.json"])
    expect((await stat(below(path))).uid, path).toBe(nobody);
});

describe("it refuses", () => {
  test.each<[what: string, changes: Partial<InstallWish>, words: string]>([
    [
      "a user that there is not",
      { user: "certctl-nobody" },
      "useradd --system --no-create-home certctl-nobody",
    ],
    [
      "a program that services do not see",
      { argv: ["/tmp/certctl/node"] },
      "move certctl to a place like /opt",
    ],
    [
      "another place for its data",
      { env: { CERTCTL_DATA_DIR: "/elsewhere" } },
      "leave CERTCTL_DATA_DIR unset",
    ],
    [
      "what systemd and Node would read differently",
      { env: { CERTCTL_AGENT_NAME: "o'clock" } },
      "CERTCTL_AGENT_NAME",
    ],
    ["a setting that is wrong", { env: { CERTCTL_LOG_LEVEL: "loud" } }, "CERTCTL_LOG_LEVEL"],
  ])("%s", async (_what, changes, words) => {
    const before = await readFile(below(unitFile), "utf8");
    await expect(install(changes)).rejects.toThrow(words);
    expect(await readFile(below(unitFile), "utf8")).toBe(before);
  });
});
