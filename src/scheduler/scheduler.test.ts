import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlPlane, openControlPlane, silent } from "../../test/fixtures.ts";
import { openBus } from "../platform/bus.ts";
import { prepareScheduler, runDue, type SchedulerDeps, startScheduler } from "./scheduler.ts";
import type { ScheduledTask } from "./task.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const { signal } = new AbortController();

/** A replica's scheduler with one task that notes its runs. */
async function replica(
  name: string,
  runs: Date[],
  run: ScheduledTask["run"] = async () => "done",
): Promise<SchedulerDeps> {
  const task: ScheduledTask = {
    name,
    title: name,
    everyMs: 3_600_000,
    async run(now, stop) {
      runs.push(now);
      return run(now, stop);
    },
  };
  const { db, clock } = plane;
  const deps = { db, clock, log: silent, replicaId: `replica-${Math.random()}`, tasks: [task] };
  await prepareScheduler(deps);
  return deps;
}

const rowOf = (name: string) => plane.db.scheduledTask.findUniqueOrThrow({ where: { name } });
const pass = (ms: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
};

describe("a scheduled task", () => {
  test("runs at once when it is new, then when its interval has passed, and shows how it went", async () => {
    const runs: Date[] = [];
    const deps = await replica("first", runs, async () => "3 renewals started");
    expect(await runDue(deps, signal)).toEqual(["first"]);
    expect(await rowOf("first")).toMatchObject({
      lastResult: "3 renewals started",
      lastError: "",
      lastStartedAt: plane.time.now,
      runs: 1,
      failures: 0,
      leaseExpiresAt: null,
      nextRunAt: new Date(plane.time.now.getTime() + 3_600_000),
    });
    expect((await rowOf("first")).lastDurationMs).toBeGreaterThanOrEqual(0);
    pass(3_599_999);
    expect(await runDue(deps, signal)).toEqual([]);
    pass(1);
    expect(await runDue(deps, signal)).toEqual(["first"]);
    expect(runs).toHaveLength(2);
  });

  test("runs on one of several replicas that look at the same moment", async () => {
    const runs: Date[] = [];
    const replicas = await Promise.all(Array.from({ length: 6 }, () => replica("shared", runs)));
    await Promise.all(replicas.map((deps) => runDue(deps, signal)));
    expect(runs).toHaveLength(1);
  });

  test("that fails says why and is tried again after a minute", async () => {
    const deps = await replica("failing", [], async () => {
      throw new Error("the mail server is down");
    });
    await runDue(deps, signal);
    expect(await rowOf("failing")).toMatchObject({
      lastResult: "",
      lastError: "the mail server is down",
      runs: 1,
      failures: 1,
      nextRunAt: new Date(plane.time.now.getTime() + 60_000),
    });
  });

  test("of a replica that died runs elsewhere once its lease has ended", async () => {
    const runs: Date[] = [];
    const deps = await replica("orphan", runs);
    await plane.db.scheduledTask.update({
      where: { name: "orphan" },
      data: { replicaId: "gone", leaseExpiresAt: new Date(Date.now() + 60_000) },
    });
    expect(await runDue(deps, signal)).toEqual([]);
    await plane.db
      .$executeRaw`UPDATE scheduled_tasks SET lease_expires_at = now() - interval '1 second' WHERE name = 'orphan'`;
    expect(await runDue(deps, signal)).toEqual(["orphan"]);
    expect(runs).toHaveLength(1);
  });

  test("that is asked for during its run runs again", async () => {
    const deps = await replica("asked", [], async () => {
      pass(1);
      await plane.db.scheduledTask.update({ where: { name: "asked" }, data: { nextRunAt: plane.time.now } });
      return "";
    });
    await runDue(deps, signal);
    expect((await rowOf("asked")).nextRunAt).toEqual(plane.time.now);
  });

  test("whose interval became shorter runs within the new one", async () => {
    const deps = await replica("shorter", []);
    await runDue(deps, signal);
    const [task] = deps.tasks;
    if (!task) throw new Error("no task");
    await prepareScheduler({ ...deps, tasks: [{ ...task, everyMs: 60_000 }] });
    expect((await rowOf("shorter")).nextRunAt).toEqual(new Date(plane.time.now.getTime() + 60_000));
  });

  test("is woken by a notification, not by a timer, and its scheduler waits for it when it stops", async () => {
    await using bus = await openBus(plane.pool.options.connectionString ?? "", silent);
    const started = Promise.withResolvers<void>();
    let isDone = false;
    const deps = await replica("woken", [], async () => {
      started.resolve();
      await new Promise((resolve) => setTimeout(resolve, 50));
      isDone = true;
      return "";
    });
    await plane.db.scheduledTask.update({
      where: { name: "woken" },
      data: { nextRunAt: new Date(plane.time.now.getTime() + 600_000) },
    });
    const scheduler = await startScheduler({ ...deps, bus });
    await plane.db.$transaction(async (tx) => {
      await tx.scheduledTask.update({ where: { name: "woken" }, data: { nextRunAt: plane.time.now } });
      await tx.$executeRaw`SELECT pg_notify('certctl_schedule', 'woken')`;
    });
    await started.promise;
    await scheduler[Symbol.asyncDispose]();
    expect(isDone).toBe(true);
  });
});
