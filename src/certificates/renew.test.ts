import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  submitCsr,
} from "../../test/fixtures.ts";
import { refuseRows } from "../../test/refuse-rows.ts";
import { archiveCertificate } from "./declare.ts";
import { issue } from "./issue.ts";
import { renewCertificate } from "./renew.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const renewed = (id: string) => renewCertificate(plane, operator, id);
const jobsOf = (certificateId: string) =>
  plane.db.job.findMany({
    where: { certificateId, type: { not: "Deployment" } },
    orderBy: { createdAt: "asc" },
  });

describe("a renewal", () => {
  test("opens a job that waits for the agent's CSR", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    const [jobId] = await renewed(id);
    const [job] = await jobsOf(id);
    expect(job).toMatchObject({ id: jobId, type: "Issuance", status: "AwaitingCSR", agentId: agent.id });
  });

  test("opens one job for each agent of the targets, joined by one renewal id", async () => {
    const [first, second, named] = [await newAgent(plane), await newAgent(plane), await newAgent(plane)];
    const targetIds = [
      await newTarget(plane, first),
      await newTarget(plane, first),
      await newTarget(plane, second),
    ];
    const id = await newCertificate(plane, { targetIds, agentId: named.id });
    expect(await renewed(id)).toHaveLength(2);
    const jobs = await jobsOf(id);
    expect(jobs.map(({ agentId }) => agentId).sort()).toEqual([first.id, second.id].sort());
    expect(new Set(jobs.map(({ renewalId }) => renewalId)).size).toBe(1);
  });

  test("after a first version is called a renewal", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    const job = await openIssuance(plane, agent, id);
    await submitCsr(plane, agent, job);
    await issue(plane, job.id, new AbortController().signal);
    await renewed(id);
    expect((await jobsOf(id)).map(({ type }) => type)).toEqual(["Issuance", "Renewal"]);
  });

  test("is written down with its jobs", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    const jobIds = await renewed(id);
    const event = await plane.db.auditEvent.findFirstOrThrow({
      where: { resourceId: id, action: "certificate_renewal_requested" },
    });
    expect(event).toMatchObject({ actor: operator.id, details: { job_ids: jobIds } });
    expect(
      await plane.db.auditEvent.count({ where: { resourceId: jobIds[0] ?? "", action: "job_created" } }),
    ).toBe(1);
  });

  test("leaves no job behind when its audit row cannot be written", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    await using _refused = await refuseRows(plane, "audit_events", `resource_id = '${id}'`);
    await expect(renewed(id)).rejects.toThrow("refused");
    expect(await jobsOf(id)).toEqual([]);
  });
});

describe("a renewal is refused", () => {
  test("without an agent that makes the key, naming both fields that would say one", async () => {
    const id = await newCertificate(plane, {});
    expect(await refusalOf(renewed(id))).toMatchObject({
      code: "FailedPrecondition",
      reason: "NO_KEY_AGENT",
      fields: ["target_ids", "agent_id"],
    });
  });

  test("while one is open, naming its job", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    const [jobId = ""] = await renewed(id);
    const refusal = await refusalOf(renewed(id));
    expect(refusal).toMatchObject({ code: "FailedPrecondition", reason: "RENEWAL_OPEN" });
    expect(refusal.message).toContain(jobId);
  });

  test("for all but one of many at the same time", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => renewed(id)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await jobsOf(id)).toHaveLength(1);
  });

  test("for a certificate that is archived or does not exist", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    await archiveCertificate(plane, operator, id);
    expect(await refusalOf(renewed(id))).toMatchObject({ reason: "ARCHIVED" });
    expect(await refusalOf(renewed("mc-none"))).toMatchObject({ code: "NotFound" });
  });

  test("no longer once the open one has ended", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, id);
    await expect(renewed(id)).resolves.toHaveLength(1);
  });
});
