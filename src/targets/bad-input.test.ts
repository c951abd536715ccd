import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeChain } from "../../test/certificates.ts";
import { recipes } from "../../test/servers/recipes.ts";
import { temporaryDirectory } from "../../test/site.ts";
import { bundleOf, contextFor, newBundle, type Stage, stageFor } from "../../test/stage.ts";
import { targetByKind } from "./registry.ts";
import { type Bundle, DeployError, type FailedStep, type Target } from "./target.ts";

/** What real servers make of bad certificates, full disks and reloads that do nothing: the old certificate is served afterwards. */

function run(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  expect(status, `${program} ${args.join(" ")}: ${stderr}`).toBe(0);
}

describe.each(["nginx", ...Object.keys(recipes)])("%s", (kind) => {
  const target = targetByKind.get(kind) as Target;
  const good = newBundle("key-1");
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageFor(kind);
  }, 60_000);
  afterAll(() => stage?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    // Also after whatever the test before did to the server.
    await target.deploy(good, stage.config, contextFor(stage.host()));
  });

  /** Deploys in vain; the error, once it is certain that the old certificate is served and its files are in place. */
  async function refused(
    bundle: Bundle,
    step: FailedStep | FailedStep[],
    changes: Record<string, unknown> = {},
  ) {
    const before = await stage.version("current");
    const ctx = contextFor(stage.host({ prove_within_seconds: 1, ...changes }));
    const error = await target.deploy(bundle, stage.config, ctx).then(
      () => new Error("it succeeded"),
      (reason: unknown) => reason,
    );
    if (!(error instanceof DeployError)) throw error;
    expect([step].flat(), error.message).toContain(error.step);
    expect(await target.served(stage.config, contextFor(stage.host())), error.message).toBe(
      good.fingerprintSha256,
    );
    expect(await stage.version("current")).toBe(before);
    return error;
  }

  /** A check of the owner's that passes, and spoils what was put in place. */
  const spoilingBy = (file: string) => ({
    test: ["sh", "-c", 'for each in "$1"/current/*.pem; do cat "$2" > "$each"; done', "sh", stage.site, file],
  });

  test("a key that is another's", async () => {
    await refused({ ...newBundle("key-2"), keyPem: newBundle("key-3").keyPem }, "match");
  });

  test("what is no certificate", async () => {
    const leafPem = "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    await refused({ ...newBundle("key-2"), leafPem }, "match");
  });

  test("a chain that has ended", async () => {
    const ended = makeChain({ sans: ["site.test"], notAfter: new Date(Date.now() - 3_600_000) });
    expect((await refused(bundleOf(ended, "key-2"), "match")).message).toContain("expired");
  });

  test("files that are spoilt after certctl checked them", async () => {
    await using directory = await temporaryDirectory();
    const garbage = join(directory.path, "garbage");
    await writeFile(garbage, "nothing that a server could serve\n");
    const error = await refused(newBundle("key-2"), ["reload", "proof"], spoilingBy(garbage));
    expect(error.message).toContain("the previous certificate is served again");
  });

  test("a reload that fails", async () => {
    const error = await refused(newBundle("key-2"), "reload", {
      reload: ["sh", "-c", "echo not today >&2; exit 3"],
    });
    expect(error.message).toContain("not today");
  });

  test("a reload that takes nothing", async () => {
    await refused(newBundle("key-2"), "proof", { reload: ["true"] });
  });

  test("a disk that is full", async () => {
    const versions = join(stage.site, "versions");
    await using copy = await temporaryDirectory();
    run("cp", "-a", `${versions}/.`, copy.path);
    run("mount", "-t", "tmpfs", "-o", "size=64k,mode=0755", "tmpfs", versions);
    try {
      run("cp", "-a", `${copy.path}/.`, versions);
      spawnSync("dd", ["if=/dev/zero", `of=${join(versions, "filler")}`, "bs=1k"]);
      expect((await refused(newBundle("key-2"), "write")).message).toContain("ENOSPC");
      await rm(join(versions, "filler"));
    } finally {
      run("umount", versions);
    }
  });

  test("and goes on afterwards with what is right", async () => {
    const next = newBundle("key-2");
    const proof = await target.deploy(next, stage.config, contextFor(stage.host()));
    expect(proof.fingerprintSha256).toBe(next.fingerprintSha256);
  });
});
