import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  newAgent,
  newCertificate,
  openControlPlane,
  openIssuance,
  type TestAgent,
} from "../../test/fixtures.ts";
import { system } from "../audit/record.ts";
import type { FailureClass } from "../platform/failure.ts";
import { lockJob, takeUp } from "./lease.ts";
import { backoffMs, failAttempt } from "./retry.ts";
import { advanceJob } from "./sweep.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const failure = { step: "key", message: "no entropy" };

async function failOnce(
  id: string,
  agent: TestAgent,
  failureClass: FailureClass,
  retryAfterMs: number | null = null,
): Promise<string> {
  return plane.db.$transaction(async (tx) => {
    const job = await takeUp(tx, await lockJob(tx, id, agent.id));
    return failAttempt(tx, system, job, { ...failure, failureClass, retryAfterMs }, plane.time.now);
  });
}

describe("the wait after a failed attempt", () => {
  test.each([
    [1, 60_000],
    [2, 300_000],
    [3, 900_000],
    [4, 3_600_000],
    [5, 21_600_000],
    [9, 21_600_000],
  ])("after attempt %i is at most %i ms and a fifth less at least", (attempts, longest) => {
    for (const failureClass of ["Network", "Target", "Internal"] as const) {
      expect(backoffMs({ ...failure, failureClass }, attempts, 0)).toBe(longest);
      expect(backoffMs({ ...failure, failureClass }, attempts, 1)).toBe(longest * 0.8);
    }
  });

  test("is longer after a CA's refusal, and there is none where somebody has to act", () => {
    const refused = { ...failure, failureClass: "Refused" as const };
    expect([1, 2, 3, 9].map((attempts) => backoffMs(refused, attempts, 0))).toEqual(
      [60, 360, 1_440, 1_440].map((minutes) => minutes * 60_000),
    );
    expect(backoffMs({ ...failure, failureClass: "Configuration" }, 1, 0)).toBeNull();
  });

  test("is what a rate limit asks for, if that is more, and a day at most", () => {
    const limited = { ...failure, failureClass: "RateLimited" as const };
    expect(backoffMs(limited, 1, 0)).toBe(3_600_000);
    expect(backoffMs({ ...limited, retryAfterMs: 1_000 }, 1, 0)).toBe(3_600_000);
    expect(backoffMs({ ...limited, retryAfterMs: 7_200_000 }, 1, 0)).toBe(7_200_000);
    expect(backoffMs({ ...limited, retryAfterMs: 9e9 }, 1, 0)).toBe(86_400_000);
  });
});

describe("a failed attempt", () => {
  test("that may succeed later sends the job back to wait", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const { id } = await openIssuance(plane, agent, certificateId);
    expect(await failOnce(id, agent, "Network")).toBe("Pending");
    const job = await plane.db.job.findUniqueOrThrow({ where: { id } });
    expect(job).toMatchObject({
      attempts: 1,
      errorStep: "key",
      failureClass: "Network",
      leaseExpiresAt: null,
      completedAt: null,
    });
    const waitMs = job.runAfter.getTime() - plane.time.now.getTime();
    expect(waitMs).toBeGreaterThanOrEqual(48_000);
    expect(waitMs).toBeLessThanOrEqual(60_000);
    const [task] = await plane.db.$queryRaw<{ runAt: Date }[]>`
      SELECT run_at AS "runAt" FROM graphile_worker.jobs WHERE key = ${`advance:${id}`}`;
    expect(task?.runAt).toEqual(job.runAfter);
  });

  test("is not repeated before its time has come", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const { id } = await openIssuance(plane, agent, certificateId);
    await failOnce(id, agent, "Network");
    await advanceJob(plane.db, id, plane.time.now);
    expect(await plane.db.job.findUniqueOrThrow({ where: { id } })).toMatchObject({ status: "Pending" });
    plane.time.now = new Date(plane.time.now.getTime() + 60_000);
    await advanceJob(plane.db, id, plane.time.now);
    expect(await claimOne(plane, agent)).toMatchObject({ id, attempts: 1 });
  });

  test("that no repetition can mend ends the job and shows on the certificate", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const { id } = await openIssuance(plane, agent, certificateId);
    expect(await failOnce(id, agent, "Configuration")).toBe("Failed");
    const { lastError } = await plane.db.managedCertificate.findUniqueOrThrow({
      where: { id: certificateId },
    });
    expect(lastError).toBe("key: no entropy");
  });

  test("that is the last one ends the job", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const { id } = await openIssuance(plane, agent, certificateId);
    await plane.db.job.update({ where: { id }, data: { attempts: 4 } });
    expect(await failOnce(id, agent, "Network")).toBe("Failed");
    const job = await plane.db.job.findUniqueOrThrow({ where: { id } });
    expect(job).toMatchObject({ status: "Failed", attempts: 5, completedAt: plane.time.now });
  });
});

test("a job has as many attempts as its certificate's renewal policy grants", async () => {
  const agent = await newAgent(plane);
  const policy = { renewalWindowDays: 30, autoRenew: true, alertThresholdsDays: [7] };
  await plane.db.renewalPolicy.create({ data: { id: "rp-two", name: "two", maxRetries: 1, ...policy } });
  const certificateId = await newCertificate(plane, { agentId: agent.id, renewalPolicyId: "rp-two" });
  const { id } = await openIssuance(plane, agent, certificateId);
  expect(await failOnce(id, agent, "Network")).toBe("Pending");
  plane.time.now = new Date(plane.time.now.getTime() + 60_000);
  await advanceJob(plane.db, id, plane.time.now);
  await claimOne(plane, agent);
  expect(await failOnce(id, agent, "Network")).toBe("Failed");
});
