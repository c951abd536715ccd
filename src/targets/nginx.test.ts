import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, chmod, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeChain } from "../../test/certificates.ts";
import { bundleOf, contextFor, newBundle, nginxStage, type Stage } from "../../test/stage.ts";
import { nginx } from "./nginx.ts";
import { type Bundle, DeployError } from "./target.ts";

const goodSteps = ["matched", "written", "switched", "config_tested", "reloaded", "proven"];

async function served(stage: Stage): Promise<string | null> {
  return nginx.served(stage.config, contextFor(stage.host()));
}

async function deploy(stage: Stage, bundle: Bundle, changes: Record<string, unknown> = {}) {
  const ctx = contextFor(stage.host(changes));
  return { ctx, proof: await nginx.deploy(bundle, stage.config, ctx) };
}

async function failingDeploy(stage: Stage, bundle: Bundle, changes: Record<string, unknown> = {}) {
  const ctx = contextFor(stage.host(changes));
  const error = await nginx.deploy(bundle, stage.config, ctx).catch((reason: unknown) => reason);
  if (!(error instanceof DeployError)) throw new Error(`no DeployError: ${error}`);
  return { error, steps: ctx.steps };
}

test("replaces a placeholder and then its own certificate", async () => {
  await using stage = await nginxStage();
  const first = newBundle("key-1");
  const { ctx, proof } = await deploy(stage, first);
  expect(ctx.steps).toEqual(goodSteps);
  expect(proof.fingerprintSha256).toBe(first.fingerprintSha256);
  expect(await stage.version("previous")).toBe("placeholder");
  const second = newBundle("key-2");
  await deploy(stage, second);
  expect(await served(stage)).toBe(second.fingerprintSha256);
  expect(await stage.version("previous")).toMatch(/^key-1\./);
});

test("keeps the current and the previous version and what is the owner's", async () => {
  await using stage = await nginxStage();
  for (const key of ["key-1", "key-2", "key-3"]) await deploy(stage, newBundle(key));
  const versions = await readdir(join(stage.site, "versions"));
  expect(versions.map((name) => name.split(".")[0]).sort()).toEqual(["key-2", "key-3", "placeholder"]);
});

test("writes the key for its owner alone", async () => {
  await using stage = await nginxStage();
  await deploy(stage, newBundle("key-1"));
  const directory = await stat(stage.site);
  expect(await installed(stage)).toEqual([
    { mode: 0o644, uid: directory.uid, gid: directory.gid },
    { mode: 0o600, uid: directory.uid, gid: directory.gid },
  ]);
});

test("gives the files to the owner that agent.yaml names", async () => {
  await using stage = await nginxStage();
  const { uid, gid } = await stat(stage.site);
  // Only root can give files away.
  const [owner, group] = uid === 0 ? [65_534, 65_533] : [uid, gid];
  await deploy(stage, newBundle("key-1"), { owner, group });
  expect(await installed(stage)).toEqual([
    { mode: 0o644, uid: owner, gid: group },
    { mode: 0o600, uid: owner, gid: group },
  ]);
});

test("deploys anew when the installed files are no longer what they were", async () => {
  await using stage = await nginxStage();
  const bundle = newBundle("key-1");
  await deploy(stage, bundle);
  await appendFile(join(stage.site, "current", "fullchain.pem"), "# touched\n");
  const { ctx } = await deploy(stage, bundle);
  expect(ctx.steps).toEqual(goodSteps);
});

test("lets two deployments to one entry take turns", async () => {
  await using stage = await nginxStage();
  const bundles = [newBundle("key-1"), newBundle("key-2")];
  const done = await Promise.all(bundles.map((bundle) => deploy(stage, bundle)));
  expect(done.map(({ ctx }) => ctx.steps)).toEqual([goodSteps, goodSteps]);
  expect(await stage.version("previous")).toMatch(/^key-1\./);
  expect(await stage.version("current")).toMatch(/^key-2\./);
});

test("refuses a directory that others can write to or that is not allowed, and an entry of another kind", async () => {
  await using stage = await nginxStage();
  const kind = { kind: "files" };
  const wrongKind = await failingDeploy(stage, newBundle("key-1"), kind);
  expect(wrongKind.error.message).toBe('the target "site" of agent.yaml is of kind files, not nginx');
  const outside = await failingDeploy(stage, newBundle("key-1"), { directory: "/usr" });
  expect(outside.error.message).toContain("none of the allowed directories");
  await chmod(stage.site, 0o777);
  const open = await failingDeploy(stage, newBundle("key-1"));
  expect(open.error.message).toContain("can be written by others");
  for (const { error } of [wrongKind, outside, open]) expect(error.step).toBe("host_file");
  expect(await stage.version("current")).toBe("placeholder");
});

test("gives a failed configuration test in nginx's own words and never reloads", async () => {
  await using stage = await nginxStage();
  const before = await served(stage);
  await appendFile(stage.nginx.configFile, "nonsense_directive on;\n");
  const { error, steps } = await failingDeploy(stage, newBundle("key-1"));
  expect(error).toMatchObject({ step: "config_test", retryable: true, served: before });
  expect(error.message).toContain('unknown directive "nonsense_directive"');
  expect(steps).toEqual(["matched", "written", "switched", "rolled_back"]);
  expect([await stage.version("current"), await served(stage)]).toEqual(["placeholder", before]);
});

test("goes back when the reload command fails", async () => {
  await using stage = await nginxStage();
  await deploy(stage, newBundle("key-1"));
  const before = await served(stage);
  const changes = { reload: ["sh", "-c", "echo no reload today >&2; exit 3"] };
  const { error, steps } = await failingDeploy(stage, newBundle("key-2"), changes);
  expect(error).toMatchObject({ step: "reload", retryable: true, served: before });
  expect(error.message).toContain("sh exited with code 3: no reload today");
  expect(steps.at(-1)).toBe("rolled_back");
  expect(await stage.version("current")).toMatch(/^key-1\./);
});

test("goes back when the reload takes nothing", async () => {
  await using stage = await nginxStage();
  const before = await served(stage);
  const changes = { reload: ["true"], prove_within_seconds: 0.3 };
  const { error, steps } = await failingDeploy(stage, newBundle("key-1"), changes);
  expect(error).toMatchObject({ step: "proof", served: before });
  expect(error.message).toContain(`serves another certificate (SHA-256 ${before})`);
  expect(steps).toEqual(["matched", "written", "switched", "config_tested", "reloaded", "rolled_back"]);
  expect([await stage.version("current"), await served(stage)]).toEqual(["placeholder", before]);
  expect(await readdir(join(stage.site, "versions"))).toEqual(["placeholder"]);
});

test("goes back on the wire when the new certificate was served before the failure", async () => {
  await using stage = await nginxStage();
  const before = await served(stage);
  const reload = ["sh", "-c", '"$@"; exit 1', "sh", ...stage.nginx.reloadArgv];
  const { error } = await failingDeploy(stage, newBundle("key-1"), { reload });
  expect(error).toMatchObject({ step: "reload", served: before });
  expect(await served(stage)).toBe(before);
});

test("refuses an unfitting key, an incomplete chain and an expired leaf before it touches anything", async () => {
  await using stage = await nginxStage();
  const good = newBundle("key-1");
  const expired = makeChain({ sans: ["site.test"], notAfter: new Date(Date.now() - 3_600_000) });
  const bundles = [
    { ...good, keyPem: newBundle("key-2").keyPem },
    { ...good, chainPem: [] },
    bundleOf(expired, "key-1"),
  ];
  for (const bundle of bundles) {
    const { error, steps } = await failingDeploy(stage, bundle);
    expect(error).toMatchObject({ step: "match", retryable: false });
    expect(steps).toEqual([]);
  }
  expect((await readdir(stage.site)).sort()).toEqual(["current", "versions"]);
});

test("puts the files back when nothing answers at the endpoint", async () => {
  await using stage = await nginxStage();
  const { error } = await failingDeploy(stage, newBundle("key-1"), {
    endpoint: "127.0.0.1:1",
    prove_within_seconds: 0.2,
  });
  expect(error).toMatchObject({ step: "proof", served: null });
  expect(error.message).toContain("no handshake with 127.0.0.1:1");
  expect(await stage.version("current")).toBe("placeholder");
});

test.each(["matched", "written", "switched", "config_tested", "reloaded", "proven"])(
  "ends right when it is called again after a kill at the step %s",
  async (dieAt) => {
    await using stage = await nginxStage();
    const bundle = newBundle("key-1");
    await deployAndDie(stage, bundle, dieAt);
    await deploy(stage, bundle);
    expect(await served(stage)).toBe(bundle.fingerprintSha256);
    expect(await stage.version("previous")).toBe("placeholder");
    const own = (await readdir(join(stage.site, "versions"))).filter((name) => name !== "placeholder");
    expect(own).toEqual([await stage.version("current")]);
  },
);

test.each(["switched", "config_tested", "reloaded"])(
  "goes back past a deployment that was killed at the step %s",
  async (dieAt) => {
    await using stage = await nginxStage();
    await deploy(stage, newBundle("key-1"));
    const before = await served(stage);
    await deployAndDie(stage, newBundle("key-2"), dieAt);
    const { error } = await failingDeploy(stage, newBundle("key-3"), { test: ["false"] });
    expect(error.step).toBe("config_test");
    expect(await stage.version("current")).toMatch(/^key-1\./);
    await deploy(stage, newBundle("key-4"));
    expect(await stage.version("previous")).toMatch(/^key-1\./);
    expect(await served(stage)).not.toBe(before);
  },
);

async function installed(stage: Stage) {
  const files = ["fullchain.pem", "privkey.pem"].map((name) => stat(join(stage.site, "current", name)));
  return (await Promise.all(files)).map(({ mode, uid, gid }) => ({ mode: mode & 0o777, uid, gid }));
}

/** Deploys in a process of its own that kills itself right after a step. */
async function deployAndDie(stage: Stage, bundle: Bundle, dieAt: string): Promise<void> {
  const script = join(import.meta.dirname, "../../test/deploy-and-die.ts");
  const input = { kind: "nginx", config: stage.config, hostFile: stage.hostFile(), bundle, dieAt };
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "inherit", "inherit"] });
  child.stdin.end(JSON.stringify(input));
  const [, signal] = await once(child, "exit");
  expect(signal).toBe("SIGKILL");
}
