import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  dayMs,
  failed,
  hourMs,
  issueVersion,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
  report,
  type TestAgent,
} from "../../test/fixtures.ts";
import { archiveCertificate } from "../certificates/declare.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { advanceJob } from "../jobs/sweep.ts";
import { runOperation } from "../operations/run.ts";
import { moveOperation } from "../operations/state.ts";
import { updateRenewalPolicy } from "../renewal-policies/manage.ts";
import { checkRenewals, type RenewalDeps } from "./check.ts";

let plane: ControlPlane;
let agent: TestAgent;
let deps: RenewalDeps;
beforeEach(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
  deps = { ...plane, jitterMs: 0, early: { share: 0.1, atLeast: 50 } };
});
afterEach(() => plane[Symbol.asyncDispose]());

const { signal } = new AbortController();
const check = (changes: Partial<RenewalDeps> = {}) =>
  checkRenewals({ ...deps, ...changes }, plane.time.now, signal);
const pass = (ms: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
};
const openJobs = (certificateId: string) =>
  plane.db.job.findMany({ where: { certificateId, status: { in: ["Pending", "AwaitingCSR", "Running"] } } });
const defaultPolicy = {
  id: "rp-default",
  name: "Default",
  renewalWindowDays: 30,
  autoRenew: true,
  maxRetries: 4,
  alertThresholdsDays: [30, 14, 7, 0],
};
const policy = (changes: Partial<typeof defaultPolicy>) =>
  updateRenewalPolicy(plane.db, operator, { ...defaultPolicy, channels: [], ...changes });

async function issued(changes: Parameters<typeof newCertificate>[1] = {}): Promise<string> {
  const id = await newCertificate(plane, { agentId: agent.id, ...changes });
  await issueVersion(plane, agent, id);
  return id;
}

describe("the renewal checker", () => {
  test("renews when a third of the lifetime is left, and not a moment before", async () => {
    const id = await issued();
    // Certificates begin five minutes before they are made.
    pass((46 * dayMs * 2) / 3 - 301_000);
    expect(await check()).toMatch(/^0 renewals opened of 0 due/);
    pass(2_000);
    expect(await check()).toMatch(/^1 renewals opened of 1 due/);
    expect(await openJobs(id)).toMatchObject([{ type: "Renewal", status: "AwaitingCSR", isEarly: false }]);
  });

  test("renews a long-lived certificate when the policy's window begins", async () => {
    await policy({ renewalWindowDays: 20 });
    const id = await issued({ validitySeconds: 90 * 86_400 });
    pass(69 * dayMs);
    await check();
    expect(await openJobs(id)).toEqual([]);
    pass(dayMs);
    await check();
    expect(await openJobs(id)).toHaveLength(1);
  });

  test("opens each renewal once, however often and by however many it is run", async () => {
    const ids = [await issued(), await issued({ commonName: "two.example" }).catch(() => issued())];
    pass(40 * dayMs);
    await Promise.all([check(), check(), check()]);
    await check();
    for (const id of ids) expect(await openJobs(id)).toHaveLength(1);
  });

  test("leaves alone what must not be renewed: archived, without auto_renew, never issued, without a key's agent", async () => {
    const archived = await issued();
    await archiveCertificate(plane, operator, archived);
    const manual = await plane.db.renewalPolicy.create({
      data: { ...defaultPolicy, id: "rp-manual", name: "manual", autoRenew: false },
    });
    await issued({ renewalPolicyId: manual.id });
    await newCertificate(plane, { agentId: agent.id });
    const keyless = await issued();
    await plane.db.managedCertificate.update({ where: { id: keyless }, data: { agentId: null } });
    pass(45 * dayMs);
    expect(await check()).toMatch(/^0 renewals opened of 0 due, 0 held for a person's yes, 0 refused$/);
  });

  test("renews an expired certificate, too", async () => {
    const id = await issued();
    pass(400 * dayMs);
    await check();
    expect(await openJobs(id)).toHaveLength(1);
  });

  test("spreads renewals over the jitter, and lets none of them wait for ever", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 6; i += 1) ids.push(await issued());
    pass(40 * dayMs);
    await check({ jitterMs: hourMs });
    const jobs = await plane.db.job.findMany({ where: { certificateId: { in: ids }, status: "Pending" } });
    const waits = jobs.map(({ runAfter }) => runAfter.getTime() - plane.time.now.getTime());
    expect(waits).toHaveLength(6);
    expect(new Set(waits).size).toBeGreaterThan(1);
    for (const wait of waits) expect(wait).toBeLessThan(hourMs);
    pass(hourMs);
    for (const { id } of jobs) await advanceJob(plane.db, id, plane.time.now);
    const statuses = await plane.db.job.findMany({ where: { id: { in: jobs.map(({ id }) => id) } } });
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set(["AwaitingCSR"]));
  });

  test("waits a day after a renewal that failed for good, or that a person cancelled", async () => {
    const id = await issued();
    pass(35 * dayMs);
    await check();
    await report(plane, agent, await claimOne(plane, agent), failed(false));
    pass(23 * hourMs);
    await check();
    expect(await openJobs(id)).toEqual([]);
    pass(hourMs + 1_000);
    await check();
    const [job] = await openJobs(id);
    await cancelJob(plane, operator, job?.id ?? "");
    pass(hourMs);
    await check();
    expect(await openJobs(id)).toEqual([]);
    pass(dayMs);
    await check();
    expect(await openJobs(id)).toHaveLength(1);
  });
});

describe("renewals before their planned time", () => {
  /** Certificates whose policy was changed after they were issued: all are due now, before their time. */
  async function mistake(count: number): Promise<string[]> {
    await policy({ renewalWindowDays: 1 });
    const ids: string[] = [];
    for (let i = 0; i < count; i += 1) ids.push(await issued({ validitySeconds: 90 * 86_400 }));
    pass(65 * dayMs);
    expect(await check()).toMatch(/^0 renewals opened of 0 due/);
    await policy({ renewalWindowDays: 30 });
    return ids;
  }
  const waiting = () =>
    plane.db.operation.findFirst({ where: { kind: "EarlyRenewals" }, include: { items: true } });

  test("go through up to the bound a day; the rest waits for a person's yes, in one operation", async () => {
    const ids = await mistake(5);
    const early = { share: 0.2, atLeast: 2 };
    expect(await check({ early })).toMatch(/^2 renewals opened of 5 due, 3 held/);
    const jobs = await plane.db.job.findMany({ where: { certificateId: { in: ids }, isEarly: true } });
    expect(jobs).toHaveLength(2);
    expect(await waiting()).toMatchObject({
      status: "AwaitingApproval",
      reason: expect.stringContaining("3 certificates would be renewed before their planned time"),
      items: [{ status: "Pending" }, { status: "Pending" }, { status: "Pending" }],
    });
    pass(hourMs);
    expect(await check({ early })).toMatch(/^0 renewals opened of 3 due, 3 held/);
    expect(await plane.db.operation.count()).toBe(1);
    const audits = await plane.db.auditEvent.findMany({ where: { action: "renewals_held" } });
    expect(audits).toHaveLength(1);
    const told = await plane.db.notification.findMany({ where: { type: "RenewalsHeld" } });
    expect(told).toMatchObject([{ threadKey: (await waiting())?.id, severity: "Critical" }]);
  });

  test("are at most a share of the fleet, where that is more than the least", async () => {
    await mistake(6);
    expect(await check({ early: { share: 0.5, atLeast: 1 } })).toMatch(/^3 renewals opened of 6 due, 3 held/);
  });

  test("go on when a person approves", async () => {
    await mistake(3);
    await check({ early: { share: 0, atLeast: 0 } });
    const operation = await waiting();
    const id = operation?.id ?? "";
    await runOperation(plane, id, signal);
    expect(await plane.db.job.count({ where: { type: "Renewal" } })).toBe(0);
    await moveOperation(plane, operator, id, "approve");
    await runOperation(plane, id, signal);
    expect(await plane.db.job.count({ where: { type: "Renewal" } })).toBe(3);
    expect(await waiting()).toMatchObject({
      status: "Completed",
      approvedBy: operator.id,
      approvedAt: plane.time.now,
    });
  });

  test("that a person declined are not asked for again within a day", async () => {
    await mistake(2);
    const early = { share: 0, atLeast: 0 };
    await check({ early });
    await moveOperation(plane, operator, (await waiting())?.id ?? "", "cancel");
    pass(hourMs);
    await check({ early });
    expect(await plane.db.operation.count()).toBe(1);
    pass(dayMs);
    await check({ early });
    expect(await plane.db.operation.count()).toBe(2);
  });

  test("never let a certificate die: at its stored time, or with a sixth of its life left, it is renewed", async () => {
    const [id = ""] = await mistake(1);
    const early = { share: 0, atLeast: 0 };
    expect(await check({ early })).toMatch(/1 held/);
    const { renewAt, notAfter } = await plane.db.certificateVersion.findFirstOrThrow({
      where: { certificateId: id },
    });
    expect(notAfter.getTime() - renewAt.getTime()).toBe(dayMs);
    // A sixth of 90 days is 15 days: that comes before the stored time.
    pass(notAfter.getTime() - 15 * dayMs - plane.time.now.getTime() - 60_000);
    expect(await check({ early })).toMatch(/^0 renewals opened/);
    pass(120_000);
    expect(await check({ early })).toMatch(/^1 renewals opened/);
    await runOperation(plane, (await waiting())?.id ?? "", signal);
    expect(await openJobs(id)).toMatchObject([{ isEarly: false }]);
  });
});
