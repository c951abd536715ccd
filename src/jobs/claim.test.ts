import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  endLease,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
  type TestAgent,
} from "../../test/fixtures.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { claim, lockJob, takeUp } from "./lease.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

async function openJobs(agent: TestAgent, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    ids.push(...(await renewCertificate(plane, operator, certificateId)));
  }
  return ids;
}

const claimFor = (agent: TestAgent) => claim(plane.db, agent.session, plane.time.now);

describe("a claim", () => {
  test("leases due jobs under a fresh lease each, oldest first", async () => {
    const agent = await newAgent(plane, 2);
    const [first, second] = await openJobs(agent, 3);
    const claimed = await claimFor(agent);
    expect(claimed.map(({ id }) => id).sort()).toEqual([first, second].sort());
    expect(new Set(claimed.map(({ leaseId }) => leaseId)).size).toBe(2);
  });

  test("takes nothing beyond what the agent has room for", async () => {
    const agent = await newAgent(plane, 2);
    const ids = await openJobs(agent, 3);
    const [first] = await claimFor(agent);
    expect(await claimFor(agent)).toEqual([]);
    await plane.db.job.update({
      where: { id: first?.id ?? "" },
      data: { leaseExpiresAt: null, status: "Failed" },
    });
    expect((await claimOne(plane, agent)).id).toBe(ids[2]);
  });

  test("never gives one job twice, however many claim at once", async () => {
    const agent = await newAgent(plane, 16);
    const ids = await openJobs(agent, 12);
    const rounds = await Promise.all(Array.from({ length: 8 }, () => claimFor(agent)));
    expect(
      rounds
        .flat()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(ids.sort());
  });

  test("by a stream that is not the newest takes nothing", async () => {
    const agent = await newAgent(plane);
    await openJobs(agent, 1);
    await plane.db.agent.update({ where: { id: agent.id }, data: { sessionEpoch: 2 } });
    expect(await claimFor(agent)).toEqual([]);
    expect(await claim(plane.db, { agentId: agent.id, epoch: 2 }, plane.time.now)).toHaveLength(1);
  });

  test("takes no job of another agent", async () => {
    const [agent, other] = [await newAgent(plane), await newAgent(plane)];
    await openJobs(other, 1);
    expect(await claimFor(agent)).toEqual([]);
  });

  test("takes no job before it is due", async () => {
    const agent = await newAgent(plane);
    const [id = ""] = await openJobs(agent, 1);
    await plane.db.job.update({
      where: { id },
      data: { runAfter: new Date(plane.time.now.getTime() + 1) },
    });
    expect(await claimFor(agent)).toEqual([]);
  });

  test("gives out again, without an attempt, what nobody acknowledged", async () => {
    const agent = await newAgent(plane);
    await openJobs(agent, 1);
    const first = await claimOne(plane, agent);
    expect(await claimFor(agent)).toEqual([]);
    await endLease(plane, first.id);
    const second = await claimOne(plane, agent);
    expect(second).toMatchObject({ id: first.id, attempts: 0 });
    expect(second.leaseId).not.toBe(first.leaseId);
  });

  test("leaves alone what was acknowledged and ran out: that attempt has to be ended first", async () => {
    const agent = await newAgent(plane);
    const [id = ""] = await openJobs(agent, 1);
    await claimOne(plane, agent);
    await plane.db.$transaction(async (tx) => takeUp(tx, await lockJob(tx, id, agent.id)));
    await endLease(plane, id);
    expect(await claimFor(agent)).toEqual([]);
  });

  test.each(["Pending", "Running", "Completed", "Failed", "Cancelled"])(
    "takes no issuance that is %s",
    async (status) => {
      const agent = await newAgent(plane);
      const [id = ""] = await openJobs(agent, 1);
      await plane.db.job.update({ where: { id }, data: { status } });
      expect(await claimFor(agent)).toEqual([]);
    },
  );
});
