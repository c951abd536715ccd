import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  endLease,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  refusalOf,
  type TestAgent,
} from "../../test/fixtures.ts";
import type { Claimed } from "./lease.ts";
import { leaseTtlMs, lockJob, renewLeases, requireLease, takeUp } from "./lease.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

async function delivered(): Promise<{ agent: TestAgent; job: Claimed }> {
  const agent = await newAgent(plane);
  const certificateId = await newCertificate(plane, { agentId: agent.id });
  return { agent, job: await openIssuance(plane, agent, certificateId) };
}

async function deliveredDeployment(): Promise<{ agent: TestAgent; job: Claimed }> {
  const agent = await newAgent(plane);
  const certificateId = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)] });
  await issueVersion(plane, agent, certificateId);
  return { agent, job: await claimOne(plane, agent) };
}

const required = (agent: TestAgent, jobId: string, leaseId: string) =>
  plane.db.$transaction(async (tx) => requireLease(await lockJob(tx, jobId, agent.id), leaseId));

const takenUp = (agent: TestAgent, jobId: string) =>
  plane.db.$transaction(async (tx) => takeUp(tx, await lockJob(tx, jobId, agent.id)));

/** How long the lease still holds, by the database's clock. */
async function remainingMs(jobId: string): Promise<number> {
  const [row] = await plane.db.$queryRaw<{ ms: number }[]>`
    SELECT extract(epoch FROM lease_expires_at - now())::float8 * 1000 AS ms FROM jobs WHERE id = ${jobId}`;
  return row?.ms ?? 0;
}

describe("a write under a lease", () => {
  test("passes for the lease that is held", async () => {
    const { agent, job } = await delivered();
    await expect(required(agent, job.id, job.leaseId)).resolves.toBeUndefined();
  });

  test("passes without a lease id for the agent that holds the lease", async () => {
    const { agent, job } = await delivered();
    await expect(required(agent, job.id, "")).resolves.toBeUndefined();
  });

  const lost = { code: "Aborted", reason: "LEASE_LOST" };

  test("is refused for a lease that was given out before", async () => {
    const { agent, job } = await delivered();
    await endLease(plane, job.id);
    await claimOne(plane, agent);
    expect(await refusalOf(required(agent, job.id, job.leaseId))).toMatchObject(lost);
  });

  test("is refused for a lease that ran out", async () => {
    const { agent, job } = await delivered();
    await endLease(plane, job.id);
    expect(await refusalOf(required(agent, job.id, job.leaseId))).toMatchObject(lost);
    expect(await refusalOf(required(agent, job.id, ""))).toMatchObject(lost);
  });

  test("is refused for another agent, whatever lease it names", async () => {
    const { job } = await delivered();
    const other = await newAgent(plane);
    expect(await refusalOf(required(other, job.id, job.leaseId))).toMatchObject(lost);
    expect(await refusalOf(required(other, job.id, ""))).toMatchObject(lost);
  });

  test("is refused for a job that does not exist", async () => {
    const agent = await newAgent(plane);
    expect(await refusalOf(required(agent, "job-none", ""))).toMatchObject({ code: "NotFound" });
  });
});

describe("taking a job up", () => {
  test("counts the attempt once and lengthens the lease", async () => {
    const { agent, job } = await delivered();
    expect(await remainingMs(job.id)).toBeLessThanOrEqual(15_000);
    expect(await takenUp(agent, job.id)).toMatchObject({ attempts: 1, status: "AwaitingCSR" });
    expect(await takenUp(agent, job.id)).toMatchObject({ attempts: 1 });
    const row = await plane.db.job.findUniqueOrThrow({ where: { id: job.id } });
    expect(row.attempts).toBe(1);
    expect(row.acknowledgedAt).not.toBeNull();
    expect(await remainingMs(job.id)).toBeGreaterThan(leaseTtlMs - 60_000);
  });

  test("sets a deployment running", async () => {
    const { agent, job } = await deliveredDeployment();
    expect(await takenUp(agent, job.id)).toMatchObject({ attempts: 1, status: "Running" });
    const row = await plane.db.job.findUniqueOrThrow({ where: { id: job.id } });
    expect(row).toMatchObject({ attempts: 1, status: "Running" });
  });
});

describe("a heartbeat's leases", () => {
  async function renew(agent: TestAgent, ...held: Claimed[]) {
    const named = held.map(({ id, leaseId }) => ({ jobId: id, leaseId }));
    return (await renewLeases(plane.db, agent.id, named)).map(({ keep }) => keep);
  }

  test("are renewed while they hold", async () => {
    const { agent, job } = await delivered();
    await takenUp(agent, job.id);
    await plane.db
      .$executeRaw`UPDATE jobs SET lease_expires_at = now() + interval '9 s' WHERE id = ${job.id}`;
    expect(await renew(agent, job)).toEqual([true]);
    expect(await remainingMs(job.id)).toBeGreaterThan(leaseTtlMs - 60_000);
  });

  test("are kept as they are until the job is taken up: a heartbeat may overtake the acknowledgement", async () => {
    const { agent, job } = await delivered();
    expect(await renew(agent, job)).toEqual([true]);
    expect(await remainingMs(job.id)).toBeLessThanOrEqual(15_000);
  });

  test("are lost when they ran out, belong to another agent or were never given", async () => {
    const [mine, foreign] = [await delivered(), await delivered()];
    await takenUp(mine.agent, mine.job.id);
    await takenUp(foreign.agent, foreign.job.id);
    await endLease(plane, mine.job.id);
    const unknown = { ...foreign.job, leaseId: "made-up" };
    expect(await renew(mine.agent, mine.job, foreign.job, unknown)).toEqual([false, false, false]);
  });

  test("are answered in the order in which they were named", async () => {
    const agent = await newAgent(plane);
    const first = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
    const second = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
    await takenUp(agent, second.id);
    await endLease(plane, first.id);
    expect(await renew(agent, first, second)).toEqual([false, true]);
    expect(await renew(agent)).toEqual([]);
  });
});
