import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  allJobs,
  type ControlPlane,
  claimOne,
  endLease,
  failed,
  firstPage,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  report,
  submitCsr,
  succeeded,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { countJobs, expectedDurations } from "./counts.ts";
import { claim, lockJob, takeUp } from "./lease.ts";
import { findJob, listJobs, timelineOf } from "./view.ts";
import { waitingFor } from "./waiting.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

/** An issuance with deployments to targets, and how each of those ends. */
async function issuedTo(...ends: ("proven" | "failed" | "open")[]) {
  const agent = await newAgent(plane);
  const targetIds: string[] = [];
  for (const _end of ends) targetIds.push(await newTarget(plane, agent));
  const certificateId = await newCertificate(plane, { targetIds, agentId: agent.id });
  const version = await issueVersion(plane, agent, certificateId);
  const deployments = await claim(plane.db, agent.session, plane.time.now);
  for (const [index, end] of ends.entries()) {
    const result = end === "proven" ? succeeded(version.fingerprintSha256) : failed(false);
    const deployment = deployments[index];
    if (deployment && end !== "open") await report(plane, agent, deployment, result);
  }
  return {
    agent,
    certificateId,
    jobId: version.jobId,
    deploymentIds: deployments.map(({ id }) => id).sort(),
  };
}

describe("a job's outcome", () => {
  test.each([
    ["Issued", []],
    ["Proven", ["proven", "proven"]],
    ["PartlyProven", ["proven", "failed"]],
    ["NotProven", ["failed", "failed"]],
    [null, ["proven", "open"]],
  ] as const)("is %s when its deployments are %j", async (outcome, ends) => {
    const { jobId, deploymentIds } = await issuedTo(...ends);
    expect(await findJob(plane.db, unrestricted, jobId)).toMatchObject({
      status: "Completed",
      outcome,
      childJobIds: deploymentIds,
    });
  });

  test("of a deployment is its own", async () => {
    const { deploymentIds } = await issuedTo("proven", "failed");
    const views = await Promise.all(deploymentIds.map((id) => findJob(plane.db, unrestricted, id)));
    expect(views.map((view) => view?.outcome).sort()).toEqual(["NotProven", "Proven"]);
  });

  test("is open while the job is, and NotProven when it failed", async () => {
    const agent = await newAgent(plane);
    const job = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
    expect(await findJob(plane.db, unrestricted, job.id)).toMatchObject({
      status: "AwaitingCSR",
      outcome: null,
    });
    await report(plane, agent, job, failed(false));
    expect(await findJob(plane.db, unrestricted, job.id)).toMatchObject({
      status: "Failed",
      outcome: "NotProven",
    });
  });
});

describe("a job's timeline", () => {
  test("tells the whole journey, its deployments' steps among it", async () => {
    const { jobId, deploymentIds } = await issuedTo("proven");
    const timeline = await timelineOf(plane.db, jobId);
    const steps = timeline.map(
      (event) => `${event.jobId === jobId ? "issuance" : "deployment"} ${event.step}`,
    );
    expect(steps).toEqual([
      "issuance created",
      "issuance awaiting_csr",
      "issuance delivered",
      "issuance accepted",
      "issuance csr_accepted",
      "issuance issued",
      "deployment created",
      "deployment delivered",
      "deployment accepted",
    ]);
    expect(new Set(timeline.map((event) => event.jobId))).toEqual(new Set([jobId, ...deploymentIds]));
  });
});

describe("the list of jobs", () => {
  test("is filtered by certificate, agent, status and type, and counts all that match", async () => {
    const { agent, certificateId, jobId, deploymentIds } = await issuedTo("proven", "failed");
    const list = async (filter: object, perPage = 50) => {
      const request = { ...firstPage, perPage };
      const { total, rows } = await listJobs(plane.db, unrestricted, request, { ...allJobs, ...filter });
      return { total, ids: rows.map(({ id }) => id).sort() };
    };
    expect(await list({ certificateId })).toEqual({ total: 3, ids: [jobId, ...deploymentIds].sort() });
    expect(await list({ agentId: agent.id, types: ["Deployment"] })).toEqual({
      total: 2,
      ids: deploymentIds,
    });
    expect(await list({ agentId: agent.id, types: ["Issuance"], statuses: ["Completed"] })).toEqual({
      total: 1,
      ids: [jobId],
    });
    expect(await list({ certificateId, statuses: ["Pending", "Running"] })).toEqual({ total: 0, ids: [] });
    expect((await list({ certificateId }, 1)).total).toBe(3);
    expect((await list({ parentJobId: jobId })).ids).toEqual(deploymentIds);
    expect((await list({ certificateId, failureClasses: ["Configuration"] })).total).toBe(1);
    expect((await list({ certificateId, failureClasses: ["Network"] })).total).toBe(0);
    const { renewalId, targetId } = await plane.db.job.findUniqueOrThrow({
      where: { id: deploymentIds[0] ?? "" },
    });
    expect((await list({ renewalId })).total).toBe(3);
    expect((await list({ targetId })).ids).toEqual([deploymentIds[0]]);
  });
});

describe("the counts of jobs", () => {
  test("leave the filter of their own column out, and find by name", async () => {
    const { certificateId } = await issuedTo("proven", "failed");
    const counts = (filter: object) =>
      countJobs(plane.db, unrestricted, { ...allJobs, certificateId, ...filter });
    const all = {
      byStatus: { Completed: 2, Failed: 1 },
      byType: { Issuance: 1, Deployment: 2 },
      byFailureClass: { Configuration: 1 },
    };
    expect(await counts({})).toEqual({ total: 3, ...all });
    expect(await counts({ statuses: ["Failed"] })).toEqual({
      ...all,
      total: 1,
      byType: { Deployment: 1 },
    });
    expect((await counts({ types: ["Deployment"] })).byType).toEqual(all.byType);
    const { name } = await plane.db.managedCertificate.findUniqueOrThrow({ where: { id: certificateId } });
    const q = name.slice(2).toUpperCase();
    expect((await counts({ certificateId: "", q })).total).toBe(3);
    expect((await listJobs(plane.db, unrestricted, firstPage, { ...allJobs, q })).total).toBe(3);
    expect((await counts({ q: "nobody" })).total).toBe(0);
    const elsewhere = { teamIds: ["t-other"], issuerIds: [] };
    expect((await countJobs(plane.db, elsewhere, { ...allJobs, certificateId })).total).toBe(0);
  });
});

describe("whom a job waits for", () => {
  const waiting = async (id: string) => {
    const view = await findJob(plane.db, unrestricted, id);
    return view && waitingFor(view, plane.time.now);
  };

  test("is its agent, until that takes it up, and then the CA", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const job = await openIssuance(plane, agent, certificateId);
    expect(await waiting(job.id)).toBe("agent test, which is offline");
    const replica = await plane.db.replica.create({ data: { id: `rep-${agent.id}` } });
    await plane.db.agent.update({
      where: { id: agent.id },
      data: { sessionId: "s", replicaId: replica.id, lastHeartbeatAt: new Date() },
    });
    expect(await waiting(job.id)).toBe("agent test to take it up");
    await plane.db.$transaction(async (tx) => takeUp(tx, await lockJob(tx, job.id, agent.id)));
    expect(await waiting(job.id)).toBe("");
    await submitCsr(plane, agent, job);
    expect(await waiting(job.id)).toBe("the CA to sign it");
  });

  test("is the time of the next attempt after one that failed, and nobody once it has ended", async () => {
    const { deploymentIds } = await issuedTo("failed");
    expect(await waiting(deploymentIds[0] ?? "")).toBe("");
    const agent = await newAgent(plane);
    const job = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
    await report(plane, agent, job, failed(true));
    expect(await waiting(job.id)).toBe("the time of its next attempt");
  });
});

describe("how long a job of a type is expected to take", () => {
  test("is the middle of the last 20 that were completed", async () => {
    const { certificateId } = await issuedTo(...Array.from({ length: 3 }, () => "proven" as const));
    const jobs = await plane.db.job.findMany({ where: { certificateId, type: "Deployment" } });
    await plane.db.job.updateMany({ where: { type: "Deployment" }, data: { startedAt: null } });
    for (const [index, ms] of [9_000, 100, 2_000].entries()) {
      const completedAt = new Date(Date.UTC(2030, 1, 1));
      const startedAt = new Date(completedAt.getTime() - ms);
      await plane.db.job.update({ where: { id: jobs[index]?.id ?? "" }, data: { startedAt, completedAt } });
    }
    expect(await expectedDurations(plane.db, ["Deployment", "Validation"])).toEqual(
      new Map([["Deployment", 2_000]]),
    );
  });
});

describe("the lease that a job shows", () => {
  const leaseOf = async (id: string) => {
    const view = await findJob(plane.db, unrestricted, id);
    return view?.leaseExpiresAt
      ? {
          epoch: view.leaseEpoch,
          delivered: view.deliveredAt !== null,
          acknowledged: view.acknowledgedAt !== null,
        }
      : null;
  };

  test("says to which session it was given and whether it was taken up, while somebody holds it", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    await renewCertificate(plane, operator, id);
    const [job] = await plane.db.job.findMany({ where: { certificateId: id } });
    const jobId = job?.id ?? "";
    expect(await leaseOf(jobId)).toBeNull();
    await claimOne(plane, agent);
    expect(await leaseOf(jobId)).toEqual({ epoch: 1, delivered: true, acknowledged: false });
    await plane.db.$transaction(async (tx) => takeUp(tx, await lockJob(tx, jobId, agent.id)));
    expect(await leaseOf(jobId)).toEqual({ epoch: 1, delivered: true, acknowledged: true });
    await endLease(plane, jobId);
    expect(await leaseOf(jobId)).toBeNull();
  });
});
