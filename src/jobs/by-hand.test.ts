import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HeartbeatRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import {
  type ControlPlane,
  claimOne,
  endLease,
  failed,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  report,
  submitCsr,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { heartbeat } from "../agents/heartbeat.ts";
import { retireAgent } from "../agents/retire.ts";
import type { IssuingAuthorities } from "../authorities/issuing.ts";
import { archiveCertificate } from "../certificates/declare.ts";
import { deployCertificate } from "../certificates/deploy.ts";
import { issue } from "../certificates/issue.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { cancelJob } from "./cancel.ts";
import { retryJob } from "./retry-by-hand.ts";

let plane: ControlPlane;
let agent: TestAgent;
let certificateId: string;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  agent = await newAgent(plane);
  certificateId = await newCertificate(plane, { agentId: agent.id });
});

const { signal } = new AbortController();
const jobOf = (id: string) => plane.db.job.findUniqueOrThrow({ where: { id } });
const auditOf = async (resourceId: string) =>
  (await plane.db.auditEvent.findMany({ where: { resourceId }, orderBy: { at: "asc" } })).map(
    ({ action }) => action,
  );
const destroyed = async (...keyIds: string[]) => {
  const beat = create(HeartbeatRequestSchema, { epoch: 1, keyIds });
  return (await heartbeat(plane.db, agent.id, beat, plane.time.now)).destroyKeyIds;
};

/** A deployment that its agent was given. */
async function openDeployment() {
  const targetId = await newTarget(plane, agent);
  const id = await newCertificate(plane, { targetIds: [targetId] });
  const version = await issueVersion(plane, agent, id);
  return { version, certificateId: id, job: await claimOne(plane, agent) };
}

describe("a job that a person cancels", () => {
  test("ends, leaves the certificate free, and takes its lease away", async () => {
    const job = await openIssuance(plane, agent, certificateId);
    await cancelJob(plane, operator, job.id);
    expect(await jobOf(job.id)).toMatchObject({
      status: "Cancelled",
      leaseExpiresAt: null,
      completedAt: plane.time.now,
    });
    expect(await auditOf(job.id)).toEqual(["job_created", "job_cancelled"]);
    const late = refusalOf(submitCsr(plane, agent, job));
    expect(await late).toMatchObject({ code: "Aborted", reason: "LEASE_LOST" });
    await expect(renewCertificate(plane, operator, certificateId)).resolves.toHaveLength(1);
    await cancelJob(plane, operator, job.id);
    expect(await auditOf(job.id)).toHaveLength(2);
  });

  test("while its CA signs is not published", async () => {
    const job = await openIssuance(plane, agent, certificateId);
    await submitCsr(plane, agent, job);
    await cancelJob(plane, operator, job.id);
    await issue(plane, job.id, signal);
    expect(await plane.db.certificateVersion.count({ where: { certificateId } })).toBe(0);
    expect(await jobOf(job.id)).toMatchObject({ status: "Cancelled" });
  });

  test("that is a deployment says so on the bus, for the agent to roll back", async () => {
    const { job } = await openDeployment();
    await cancelJob(plane, operator, job.id);
    const answer = await heartbeat(
      plane.db,
      agent.id,
      create(HeartbeatRequestSchema, { epoch: 1, leases: [{ jobId: job.id, leaseId: job.leaseId }] }),
      plane.time.now,
    );
    expect(answer.leases).toMatchObject([{ jobId: job.id, keep: false }]);
  });

  test("is refused when it has ended, and when it is not there", async () => {
    const { job, version } = await openDeployment();
    await report(plane, agent, job, succeeded(version.fingerprintSha256));
    expect(await refusalOf(cancelJob(plane, operator, job.id))).toMatchObject({ reason: "JOB_ENDED" });
    expect(await refusalOf(cancelJob(plane, operator, "job-none"))).toMatchObject({ code: "NotFound" });
    const stranger = { ...operator, grants: { teamIds: ["t-none"], issuerIds: [] } };
    expect(await refusalOf(cancelJob(plane, stranger, job.id))).toMatchObject({ code: "NotFound" });
  });
});

describe("a job that a person has tried again", () => {
  test("gets another key and another certificate; the old key is destroyed", async () => {
    const first = await openIssuance(plane, agent, certificateId);
    const csr = newCsr(["site.example"]);
    await submitCsr(plane, agent, first, csr);
    await cancelJob(plane, operator, first.id);
    await retryJob(plane, operator, first.id);
    const job = await jobOf(first.id);
    expect(job).toMatchObject({
      status: "AwaitingCSR",
      keyId: `${first.id}-retry-1`,
      csr: null,
      completedAt: null,
    });
    expect(job.maxAttempts).toBe(job.attempts + 5);
    expect(await destroyed(first.id, `${first.id}-retry-1`)).toEqual([first.id]);
    const again = await claimOne(plane, agent);
    await submitCsr(plane, agent, again, newCsr(["site.example"]));
    await issue(plane, first.id, signal);
    const version = await plane.db.certificateVersion.findUniqueOrThrow({ where: { jobId: first.id } });
    expect(version.keyId).toBe(`${first.id}-retry-1`);
    expect(await destroyed(first.id, version.keyId)).toEqual([first.id]);
    expect(await auditOf(first.id)).toContain("job_retried");
  });

  test("is not ended by the signing that its cancelled round had begun", async () => {
    const job = await openIssuance(plane, agent, certificateId);
    await submitCsr(plane, agent, job);
    let retried: Promise<void> | undefined;
    const issuing: IssuingAuthorities = {
      ...plane.issuing,
      async signingFor(issuerId, tx) {
        // Between reading the job and publishing: cancelled and taken up again with a new key.
        retried ??= cancelJob(plane, operator, job.id)
          .then(() => retryJob(plane, operator, job.id))
          .then(async () => submitCsr(plane, agent, await claimOne(plane, agent), newCsr(["site.example"])));
        await retried;
        return plane.issuing.signingFor(issuerId, tx);
      },
    };
    await issue({ ...plane, issuing }, job.id, signal);
    expect(await plane.db.certificateVersion.count({ where: { certificateId } })).toBe(0);
    await issue(plane, job.id, signal);
    const versions = await plane.db.certificateVersion.findMany({ where: { certificateId } });
    expect(versions.map(({ keyId }) => keyId)).toEqual([`${job.id}-retry-1`]);
  });

  test("goes on with the same deployment, as long as no newer one was made", async () => {
    const { job, certificateId: id } = await openDeployment();
    await report(plane, agent, job, failed(false));
    await retryJob(plane, operator, job.id);
    expect(await claimOne(plane, agent)).toMatchObject({ id: job.id });
    await cancelJob(plane, operator, job.id);
    await deployCertificate(plane, operator, { id, versionId: "", targetIds: [] });
    expect(await refusalOf(retryJob(plane, operator, job.id))).toMatchObject({ reason: "SUPERSEDED" });
  });

  test("is refused while it is open, while another makes the certificate, and when that is archived", async () => {
    const job = await openIssuance(plane, agent, certificateId);
    expect(await refusalOf(retryJob(plane, operator, job.id))).toMatchObject({ reason: "JOB_NOT_ENDED" });
    await cancelJob(plane, operator, job.id);
    const [other = ""] = await renewCertificate(plane, operator, certificateId);
    expect(await refusalOf(retryJob(plane, operator, job.id))).toMatchObject({ reason: "RENEWAL_OPEN" });
    expect(await jobOf(job.id)).toMatchObject({ status: "Cancelled", keyId: job.id });
    await cancelJob(plane, operator, other);
    await archiveCertificate(plane, operator, certificateId);
    expect(await refusalOf(retryJob(plane, operator, job.id))).toMatchObject({ reason: "ARCHIVED" });
  });

  test("is refused where its version has expired, its target is another's, or its agent is retired", async () => {
    const { job, version, certificateId: id } = await openDeployment();
    await report(plane, agent, job, failed(false));
    const before = plane.time.now;
    plane.time.now = version.notAfter;
    expect(await refusalOf(retryJob(plane, operator, job.id))).toMatchObject({ reason: "EXPIRED" });
    plane.time.now = before;
    await plane.db.certificateTarget.deleteMany({ where: { certificateId: id } });
    expect(await refusalOf(retryJob(plane, operator, job.id))).toMatchObject({ reason: "NOT_BOUND" });
    await retireAgent(plane, operator, { id: agent.id, force: true, reason: "gone" });
    expect(await refusalOf(retryJob(plane, operator, job.id))).toMatchObject({ reason: "AGENT_RETIRED" });
  });

  test("survives the loss of its agent like any other", async () => {
    const job = await openIssuance(plane, agent, certificateId);
    await cancelJob(plane, operator, job.id);
    await retryJob(plane, operator, job.id);
    const again = await claimOne(plane, agent);
    await endLease(plane, again.id);
    expect(await claimOne(plane, agent)).toMatchObject({ id: job.id });
  });
});
