import { beforeEach, describe, expect, test } from "vitest";
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
  report,
  submitCsr,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { type Claimed, claim, lockJob, takeUp } from "./lease.ts";
import { reclaimExpired, reclaimFromRestarted, resumePending, resumeSigning, wakeForDue } from "./reclaim.ts";

let plane: ControlPlane;
beforeEach(async () => {
  plane = await openControlPlane();
  return () => plane[Symbol.asyncDispose]();
});

async function issuance(agent: TestAgent): Promise<Claimed> {
  return openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
}

async function deployment(agent: TestAgent): Promise<Claimed> {
  const targetIds = [await newTarget(plane, agent)];
  await issueVersion(plane, agent, await newCertificate(plane, { targetIds }));
  return claimOne(plane, agent);
}

const takenUp = (agent: TestAgent, { id }: Claimed) =>
  plane.db.$transaction(async (tx) => takeUp(tx, await lockJob(tx, id, agent.id)));
const restarted = (agent: TestAgent, ...held: string[]) =>
  plane.db.$transaction((tx) => reclaimFromRestarted(tx, agent.id, held));
const jobOf = (id: string) => plane.db.job.findUniqueOrThrow({ where: { id } });

describe("a lease that ran out", () => {
  test("without an acknowledgement is free again and uses no attempt", async () => {
    const agent = await newAgent(plane);
    const job = await issuance(agent);
    await endLease(plane, job.id);
    await reclaimExpired(plane.db, plane.time.now);
    expect(await jobOf(job.id)).toMatchObject({ status: "AwaitingCSR", attempts: 0, leaseExpiresAt: null });
    expect(await claimOne(plane, agent)).toMatchObject({ id: job.id, attempts: 0 });
  });

  test.each(["issuance", "deployment"])("on an acknowledged %s ends the attempt", async (kind) => {
    const agent = await newAgent(plane);
    const job = await (kind === "issuance" ? issuance(agent) : deployment(agent));
    await takenUp(agent, job);
    await endLease(plane, job.id);
    await reclaimExpired(plane.db, plane.time.now);
    const after = await jobOf(job.id);
    expect(after).toMatchObject({ status: "Pending", attempts: 1, errorStep: "agent_lost" });
    expect(after.runAfter.getTime()).toBeGreaterThan(plane.time.now.getTime());
    expect(await claim(plane.db, agent.session, plane.time.now)).toEqual([]);
  });

  test("on the last attempt fails the job and says why", async () => {
    const agent = await newAgent(plane);
    const job = await issuance(agent);
    await plane.db.job.update({ where: { id: job.id }, data: { attempts: 4 } });
    await takenUp(agent, job);
    await endLease(plane, job.id);
    await reclaimExpired(plane.db, plane.time.now);
    const { status, certificateId } = await jobOf(job.id);
    expect(status).toBe("Failed");
    const { lastError } = await plane.db.managedCertificate.findUniqueOrThrow({
      where: { id: certificateId },
    });
    expect(lastError).toContain(`agent ${agent.id} took the job up and was not heard of again`);
  });

  test("is taken back once, however many replicas look", async () => {
    const agent = await newAgent(plane);
    const job = await issuance(agent);
    await takenUp(agent, job);
    await endLease(plane, job.id);
    await Promise.all(Array.from({ length: 5 }, () => reclaimExpired(plane.db, plane.time.now)));
    expect(await plane.db.jobEvent.count({ where: { jobId: job.id, step: "failed" } })).toBe(1);
  });

  test("is told apart from one that holds", async () => {
    const agent = await newAgent(plane);
    const job = await issuance(agent);
    await takenUp(agent, job);
    await reclaimExpired(plane.db, plane.time.now);
    expect(await jobOf(job.id)).toMatchObject({ status: "AwaitingCSR", leaseId: job.leaseId });
  });
});

describe("a restarted agent", () => {
  test.each(["issuance", "deployment"])("gets its %s again at once and loses no attempt", async (kind) => {
    const agent = await newAgent(plane);
    const job = await (kind === "issuance" ? issuance(agent) : deployment(agent));
    await takenUp(agent, job);
    await restarted(agent);
    const again = await claimOne(plane, agent);
    expect(again).toMatchObject({ id: job.id, attempts: 0 });
    expect(again.leaseId).not.toBe(job.leaseId);
    expect(await takenUp(agent, again)).toMatchObject({ attempts: 1 });
  });

  test("gets a delivery again that it had not acknowledged", async () => {
    const agent = await newAgent(plane);
    const job = await deployment(agent);
    await restarted(agent);
    expect(await claimOne(plane, agent)).toMatchObject({ id: job.id, attempts: 0 });
  });

  test("keeps the leases that it still knows", async () => {
    const agent = await newAgent(plane);
    const [kept, lost] = [await issuance(agent), await issuance(agent)];
    await restarted(agent, kept.leaseId);
    expect(await jobOf(kept.id)).toMatchObject({ leaseId: kept.leaseId, leaseExpiresAt: expect.any(Date) });
    expect(await jobOf(lost.id)).toMatchObject({ leaseExpiresAt: null });
  });

  test("loses nothing of another agent", async () => {
    const [agent, other] = [await newAgent(plane), await newAgent(plane)];
    const job = await issuance(other);
    await restarted(agent);
    expect(await jobOf(job.id)).toMatchObject({ leaseExpiresAt: expect.any(Date) });
  });

  test("that comes back while its result is being stored does not disturb it", async () => {
    const agent = await newAgent(plane);
    const job = await deployment(agent);
    await takenUp(agent, job);
    const { versionId, targetId } = await jobOf(job.id);
    const version = await plane.db.certificateVersion.findUniqueOrThrow({ where: { id: versionId ?? "" } });
    const storing = Promise.withResolvers<Promise<string>>();
    const reconnecting = Promise.withResolvers<Promise<void>>();
    await plane.db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM certificate_target_mappings WHERE target_id = ${targetId} FOR UPDATE`;
      storing.resolve(report(plane, agent, job, succeeded(version.fingerprintSha256)));
      await expect.poll(waiting).toBe(1);
      reconnecting.resolve(restarted(agent));
      await expect.poll(waiting).toBe(2);
    });
    expect(await storing.promise).toBe("Completed");
    await reconnecting.promise;
    expect(await jobOf(job.id)).toMatchObject({ status: "Completed", attempts: 1 });
  });
});

/** How many transactions of this database wait for a lock of another. */
async function waiting(): Promise<number> {
  const [row] = await plane.db.$queryRaw<{ total: number }[]>`
    SELECT count(DISTINCT l.pid)::int AS total FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE NOT l.granted AND a.datname = current_database()`;
  return row?.total ?? 0;
}

describe("the sweep", () => {
  test("wakes the agent of due work on a target, if it is there", async () => {
    const agent = await newAgent(plane);
    const targetIds = [await newTarget(plane, agent)];
    await issueVersion(plane, agent, await newCertificate(plane, { targetIds }));
    expect(await wakeForDue(plane.db, plane.time.now)).toBe(0);
    await plane.db.agent.update({ where: { id: agent.id }, data: { sessionId: "s" } });
    expect(await wakeForDue(plane.db, new Date(plane.time.now.getTime() - 1))).toBe(0);
    expect(await wakeForDue(plane.db, plane.time.now)).toBe(1);
    await claimOne(plane, agent);
    expect(await wakeForDue(plane.db, plane.time.now)).toBe(0);
  });
});

describe("a server that died", () => {
  const queued = (id: string) => plane.db.$queryRaw<unknown[]>`
    SELECT 1 FROM graphile_worker.jobs WHERE key = ${`issue:${id}`}`;

  test("has its signings taken up again", async () => {
    const agent = await newAgent(plane);
    const job = await issuance(agent);
    await submitCsr(plane, agent, job);
    await plane.db.$executeRaw`SELECT graphile_worker.remove_job(${`issue:${job.id}`})`;
    await resumeSigning(plane.db, 30_000, plane.time.now);
    expect(await queued(job.id)).toHaveLength(0);
    await resumeSigning(plane.db, 0, plane.time.now);
    expect(await queued(job.id)).toHaveLength(1);
  });

  test("has its waiting jobs set going when they are due", async () => {
    const agent = await newAgent(plane);
    const job = await issuance(agent);
    await takenUp(agent, job);
    await endLease(plane, job.id);
    await reclaimExpired(plane.db, plane.time.now);
    const resumed: string[] = [];
    const resume = (now: Date) => resumePending(plane.db, async (id) => void resumed.push(id), now);
    await resume(plane.time.now);
    expect(resumed).toEqual([]);
    await resume(new Date(plane.time.now.getTime() + 60_000));
    expect(resumed).toEqual([job.id]);
  });
});
