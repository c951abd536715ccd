import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contextFor, newBundle, type Stage, stageFor } from "../../test/stage.ts";
import { targetByKind, targets } from "./registry.ts";
import { configSchema, DeployError, type Target } from "./target.ts";

test("kinds are unique", () => {
  expect(targetByKind.size).toBe(targets.length);
});

describe.each(targets)("target $kind", (target) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageFor(target.kind);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  test("has a JSON Schema that is a closed object", () => {
    expect(configSchema(target)).toMatchObject({ type: "object", additionalProperties: false });
  });

  test("deploys, tells what is served, and skips what is served already", async () => {
    const bundle = newBundle("key-1");
    const ctx = contextFor(stage.host());
    const proof = await target.deploy(bundle, stage.config, ctx);
    expect(proof).toEqual({ fingerprintSha256: bundle.fingerprintSha256, name: "site.test" });
    expect(ctx.steps).toContain("proven");
    expect(await target.served(stage.config, ctx)).toBe(bundle.fingerprintSha256);
    const again = contextFor(stage.host());
    await target.deploy(bundle, stage.config, again);
    expect(again.steps).toEqual(["matched", "skipped"]);
  });

  test("leaves what is served when the certificate does not fit its key", async () => {
    const bundle = { ...newBundle("key-1"), keyPem: newBundle("key-2").keyPem };
    await expectUnchanged(target, stage, (ctx) => target.deploy(bundle, stage.config, ctx), "match");
  });

  test("stops on a signal after any step and leaves what is served", async () => {
    const good = contextFor(stage.host());
    await target.deploy(newBundle("key-1"), stage.config, good);
    const steps = good.steps.filter((step) => step !== "proven");
    expect(steps).toEqual(expect.arrayContaining(["matched", "written", "switched"]));
    for (const stopAfter of steps) {
      const stop = new AbortController();
      const step = (name: string) => {
        if (name === stopAfter) stop.abort(new Error("the lease is lost"));
      };
      const ctx = { host: stage.host(), signal: stop.signal, step };
      const attempt = () => target.deploy(newBundle("key-2"), stage.config, ctx);
      const error = await expectUnchanged(target, stage, attempt);
      expect(error.message).toContain("stopped: the lease is lost");
    }
  });

  test("does nothing when it was stopped before", async () => {
    const signal = AbortSignal.abort(new Error("the lease is lost"));
    const ctx = contextFor(stage.host(), signal);
    const attempt = () => target.deploy(newBundle("key-1"), stage.config, ctx);
    const error = await expectUnchanged(target, stage, attempt);
    expect(error).toMatchObject({ message: "stopped: the lease is lost", retryable: true });
    expect(ctx.steps).toEqual([]);
  });

  test("refuses unknown fields of its configuration", async () => {
    const config = { ...stage.config, reload: ["sh", "-c", "id"] };
    await expectUnchanged(target, stage, (ctx) => target.deploy(newBundle("key-1"), config, ctx), "config");
  });

  test("refuses an entry that agent.yaml does not have", async () => {
    for (const entry of ["other", "constructor"]) {
      const attempt = target.deploy(newBundle("key-1"), { entry }, contextFor(stage.host()));
      await expect(attempt).rejects.toMatchObject({ step: "host_file", retryable: false });
    }
  });

  test("says what a deployment would find, and changes nothing", async () => {
    const served = await target.served(stage.config, contextFor(stage.host()));
    const look = (changes: Record<string, unknown>, config = stage.config) =>
      target.inspect(config, contextFor(stage.host(changes)));
    const good = await look({});
    expect(good.served).toBe(served);
    expect(good.checks.filter(({ ok }) => !ok)).toEqual([]);
    const wrongWith = async (...given: Parameters<typeof look>) =>
      (await look(...given)).checks.filter(({ ok }) => !ok).map(({ name }) => name);
    expect(await wrongWith({}, { entry: "other" })).toEqual(["entry"]);
    expect(await wrongWith({ directory: "/etc" })).toEqual(["directory"]);
    expect(await wrongWith({ reload: ["no-such-program"] })).toEqual(["reload"]);
    expect(await wrongWith({ endpoint: "127.0.0.1:1" })).toEqual(["endpoint"]);
    expect(await target.served(stage.config, contextFor(stage.host()))).toBe(served);
  });

  test("forgets a key unless it is the current one", async () => {
    const ctx = contextFor(stage.host());
    await target.deploy(newBundle("key-1"), stage.config, ctx);
    await target.deploy(newBundle("key-2"), stage.config, ctx);
    expect(await target.forget?.("key-1", ctx)).toBe(true);
    expect(await target.forget?.("key-2", ctx)).toBe(false);
    expect(await stage.version("current")).toMatch(/^key-2\./);
    expect(await stage.version("previous")).toBeNull();
  });
});

async function expectUnchanged(
  target: Target,
  stage: Stage,
  attempt: (ctx: ReturnType<typeof contextFor>) => Promise<unknown>,
  step?: string,
): Promise<DeployError> {
  const ctx = contextFor(stage.host());
  const served = await target.served(stage.config, ctx);
  const current = await stage.version("current");
  expect(served).not.toBeNull();
  const error = await attempt(ctx).then(
    () => new Error("it succeeded"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeployError)) throw error;
  if (step !== undefined) expect(error.step).toBe(step);
  expect(await target.served(stage.config, ctx)).toBe(served);
  expect(await stage.version("current")).toBe(current);
  return error;
}
