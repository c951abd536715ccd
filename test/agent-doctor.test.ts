import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { loadAgentConfig } from "../agent/config.ts";
import { checkService } from "../agent/doctor/service.ts";
import { unitText } from "../agent/service/unit.ts";
import { later } from "./faketime.ts";
import { freePort } from "./free-port.ts";
import { type StagedSystem, stageSystem } from "./stage-system.ts";

/** "certctl agent doctor" beside a real agent, which it finds well, and with one thing wrong at a time. */

const parts = new AsyncDisposableStack();
let staged: StagedSystem;
let env: Record<string, string>;
const launcher = join(import.meta.dirname, "..", "cli", "certctl");

beforeAll(async () => {
  staged = parts.use(await stageSystem());
  await staged.system.renew(staged.certificateId);
}, 60_000);
beforeEach(() => {
  env = { CERTCTL_DATA_DIR: join(staged.agent.stateDir, "..") };
});
afterAll(() => parts.disposeAsync());

interface Found {
  subject: string;
  state: string;
  message: string;
  fix: string;
}

async function run(args: string[], more: Record<string, string> = {}) {
  const { PATH = "" } = process.env;
  const child = spawn(launcher, ["agent", "doctor", ...args], { env: { PATH, ...env, ...more } });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { out, err, code };
}

/** What it finds, but what is well; and whether it counts as failed. */
async function complaints(more: Record<string, string> = {}): Promise<{ found: Found[]; code: number }> {
  const { out, code } = await run(["-o", "json"], more);
  return { found: (JSON.parse(out) as Found[]).filter(({ state }) => state !== "ok"), code };
}

test("where all is well it says so, and what it looked at", async () => {
  const { out, code } = await run([]);
  expect(
    out
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(/ {2,}/).slice(0, 2).join(" ")),
  ).toEqual([
    "ok settings",
    "ok state",
    "ok keys",
    "ok agent.yaml",
    "ok entry site",
    "ok identity",
    "ok connection",
    "ok clock",
    "ok service",
  ]);
  expect(out).toContain(`${staged.system.url} answers, and is the control plane that is meant`);
  expect(code).toBe(0);
});

test("a key that others can read", async () => {
  const keys = join(staged.agent.stateDir, "keys");
  const [name = ""] = (await readdir(keys)).filter((file) => file.endsWith(".key"));
  await chmod(join(keys, name), 0o644);
  const { found, code } = await complaints();
  await chmod(join(keys, name), 0o600);
  expect(found).toMatchObject([
    {
      subject: "keys",
      state: "failed",
      message: `others can read ${name}`,
      fix: expect.stringContaining("chmod 600"),
    },
  ]);
  expect(code).toBe(1);
});

test("a state directory that is open to others", async () => {
  await chmod(staged.agent.stateDir, 0o755);
  const { found } = await complaints();
  await chmod(staged.agent.stateDir, 0o700);
  expect(found).toMatchObject([
    { subject: "state", state: "failed", fix: `chmod 700 ${staged.agent.stateDir}` },
  ]);
});

test("an agent.yaml that others can write", async () => {
  const file = join(staged.agent.stateDir, "agent.yaml");
  await chmod(file, 0o666);
  const { found } = await complaints();
  await chmod(file, 0o600);
  expect(found).toMatchObject([
    { subject: "agent.yaml", state: "failed", message: expect.stringContaining("can be written by others") },
  ]);
});

test("an entry whose directory is gone, and one whose server is", async () => {
  const { site } = staged.nginx;
  await rename(site, `${site}-away`);
  const { found } = await complaints();
  await rename(`${site}-away`, site);
  expect(found).toMatchObject([
    { subject: "entry site", state: "failed", message: expect.stringContaining(site) },
  ]);
});

test("no agent.yaml is a warning: nothing can be deployed", async () => {
  const { found, code } = await complaints({ CERTCTL_AGENT_CONFIG: "/nonexistent/agent.yaml" });
  expect(found).toMatchObject([{ subject: "agent.yaml", state: "warning" }]);
  expect(code).toBe(0);
});

test("a setting that is wrong ends the search", async () => {
  const { found, code } = await complaints({ CERTCTL_LOG_LEVEL: "loud" });
  expect(found).toMatchObject([
    { subject: "settings", message: expect.stringContaining("CERTCTL_LOG_LEVEL") },
  ]);
  expect(code).toBe(1);
});

test("a control plane where nothing listens", async () => {
  const { found } = await complaints({ CERTCTL_SERVER_URL: `https://127.0.0.1:${await freePort()}` });
  expect(found).toMatchObject([
    { subject: "connection", state: "failed", fix: expect.stringContaining("nothing listens there") },
  ]);
});

test("another server where the control plane is said to be", async () => {
  const { found } = await complaints({ CERTCTL_SERVER_URL: `https://${staged.nginx.endpoint}` });
  expect(found).toMatchObject([
    { subject: "connection", state: "failed", fix: expect.stringContaining("another server answers there") },
  ]);
});

test("a clock that is ahead, one that is behind, and an identity that ended while the host slept", async () => {
  const ahead = await complaints(await later("+10 minutes"));
  expect(ahead.found).toMatchObject([
    { subject: "clock", state: "failed", message: expect.stringMatching(/^\d+ s ahead of/) },
  ]);
  const behind = await complaints(await later("-10 minutes"));
  expect(behind.found).toMatchObject([{ subject: "connection", fix: "look at the clocks of both hosts" }]);
  const { found } = await complaints(await later("+3 days"));
  expect(found).toContainEqual(
    expect.objectContaining({
      subject: "identity",
      fix: expect.stringContaining("join token for the same id"),
    }),
  );
});

test("no identity and no join string", async () => {
  const empty = await mkdtemp(join(tmpdir(), "certctl-empty-"));
  parts.defer(() => rm(empty, { recursive: true }));
  const { found, code } = await complaints({ CERTCTL_DATA_DIR: empty });
  expect(found.map(({ subject, state }) => `${subject} ${state}`)).toEqual([
    "state warning",
    "keys warning",
    "agent.yaml warning",
    "identity failed",
    "connection failed",
    "service warning",
  ]);
  expect(code).toBe(1);
});

test("an agent that does not run, and a unit that keeps read-only what agent.yaml allows", async () => {
  const config = loadAgentConfig(env);
  const directory = await mkdtemp(join(tmpdir(), "certctl-unit-"));
  parts.defer(() => rm(directory, { recursive: true }));
  const [unit, hostFilePath] = [join(directory, "unit"), join(directory, "agent.yaml")];
  const wish = {
    argv: ["/usr/bin/env"],
    user: "root",
    environmentFile: "/e",
    stateDirectory: "certctl",
  } as const;
  await writeFile(hostFilePath, "allowed_directories: [/etc/nginx/tls, /srv/tls]\n", { mode: 0o600 });
  await writeFile(unit, unitText({ ...wish, writable: [] }));
  expect(await checkService({ ...config, hostFilePath }, unit)).toMatchObject([
    { state: "ok" },
    {
      state: "warning",
      message: expect.stringContaining("/etc/nginx/tls read-only"),
      fix: expect.stringContaining("agent install"),
    },
  ]);
  await writeFile(unit, unitText({ ...wish, writable: ["/etc/nginx/tls"] }));
  expect(await checkService({ ...config, hostFilePath }, unit)).toMatchObject([{ state: "ok" }]);
  await staged.agent.process.end("SIGKILL");
  expect(await checkService({ ...config, hostFilePath }, unit)).toMatchObject([{ state: "warning" }]);
});
