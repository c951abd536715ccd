import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  submitCsr,
} from "../../test/fixtures.ts";
import { issue } from "../certificates/issue.ts";
import { claim } from "./lease.ts";
import { advanceJob, sweepJobs } from "./sweep.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const { signal } = new AbortController();

test("no work of the server takes an agent's job, and no agent is given the server's", async () => {
  const agent = await newAgent(plane);
  const targetIds = [await newTarget(plane, agent)];
  await issueVersion(plane, agent, await newCertificate(plane, { targetIds }));
  const deployment = await plane.db.job.findFirstOrThrow({ where: { type: "Deployment" } });
  await sweepJobs(plane.db, plane.time.now, 0);
  await advanceJob(plane.db, deployment.id, plane.time.now);
  await issue(plane, deployment.id, signal);
  expect(await plane.db.job.findUniqueOrThrow({ where: { id: deployment.id } })).toEqual(deployment);
  expect((await claimOne(plane, agent)).id).toBe(deployment.id);

  const issuance = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
  await submitCsr(plane, agent, issuance);
  expect(await claim(plane.db, agent.session, plane.time.now)).toEqual([]);
  await issue(plane, issuance.id, signal);
  expect(await plane.db.certificateVersion.count({ where: { jobId: issuance.id } })).toBe(1);
});
