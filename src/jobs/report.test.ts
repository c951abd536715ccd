import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ProgressStep, ReportProgressRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import type { CertificateVersion } from "#gen/prisma/client.ts";
import {
  type ControlPlane,
  claimOne,
  endLease,
  failed,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  refusalOf,
  report,
  submitCsr,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import type { Claimed } from "./lease.ts";
import { reclaimExpired } from "./reclaim.ts";
import { reportProgress } from "./report.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

interface Delivery {
  agent: TestAgent;
  job: Claimed;
  version: CertificateVersion;
  targetId: string;
}

/** A deployment that the agent was given. */
async function delivered(): Promise<Delivery> {
  const agent = await newAgent(plane);
  const targetId = await newTarget(plane, agent);
  const version = await issueVersion(plane, agent, await newCertificate(plane, { targetIds: [targetId] }));
  return { agent, job: await claimOne(plane, agent), version, targetId };
}

function progress(
  { agent, job }: Pick<Delivery, "agent" | "job">,
  requestId = "",
  steps: Partial<ProgressStep>[] = [],
) {
  const fields = { jobId: job.id, leaseId: job.leaseId, requestId };
  return reportProgress(
    plane.db,
    agent.id,
    create(ReportProgressRequestSchema, {
      ...fields,
      steps: steps.map(({ step = "reloaded", message = "", agoMs = 0 }) => ({ step, message, agoMs })),
    }),
  );
}

/** Lets the lease of a job that was taken up run out, and the sweep see it. */
async function lose({ agent, job }: Delivery): Promise<void> {
  await progress({ agent, job });
  await endLease(plane, job.id);
  await reclaimExpired(plane.db, plane.time.now);
}

const jobOf = (id: string) => plane.db.job.findUniqueOrThrow({ where: { id } });
const placeOf = (targetId: string) => plane.db.certificateTarget.findFirstOrThrow({ where: { targetId } });
const stepsOf = async (jobId: string) =>
  (await plane.db.jobEvent.findMany({ where: { jobId }, orderBy: { id: "asc" } })).map(({ step }) => step);
const lost = { code: "Aborted", reason: "LEASE_LOST" };

describe("progress", () => {
  test("takes the job up and adds the steps to the timeline", async () => {
    const { agent, job } = await delivered();
    await progress({ agent, job }, "", [{ step: "staged" }, { step: "reloaded" }]);
    expect(await jobOf(job.id)).toMatchObject({ status: "Running", attempts: 1 });
    expect(await stepsOf(job.id)).toEqual(["created", "delivered", "accepted", "staged", "reloaded"]);
  });

  test("that is sent again adds nothing", async () => {
    const { agent, job } = await delivered();
    const requestId = "0b0c8d7e-6f1f-4a39-9d0a-2f4a1c6a0e11";
    await progress({ agent, job }, requestId, [{ step: "staged" }]);
    await progress({ agent, job }, requestId, [{ step: "staged" }]);
    expect((await stepsOf(job.id)).filter((step) => step === "staged")).toHaveLength(1);
  });

  test("is refused after the lease ran out", async () => {
    const { agent, job } = await delivered();
    await endLease(plane, job.id);
    expect(await refusalOf(progress({ agent, job }))).toMatchObject(lost);
  });
});

describe("a proof", () => {
  test("completes the deployment and is what the certificate shows of its target", async () => {
    const { agent, job, version, targetId } = await delivered();
    expect(await report(plane, agent, job, succeeded(version.fingerprintSha256))).toBe("Completed");
    const place = { versionId: version.id, servedFingerprint: version.fingerprintSha256 };
    expect(await placeOf(targetId)).toMatchObject({ ...place, provenAt: plane.time.now });
    const done = { status: "Completed", attempts: 1, leaseExpiresAt: null, completedAt: plane.time.now };
    expect(await jobOf(job.id)).toMatchObject(done);
    const audits = await plane.db.auditEvent.findMany({
      where: { resourceId: job.id },
      orderBy: { at: "asc" },
    });
    expect(audits.at(-1)).toMatchObject({ action: "deployment_proven", actor: agent.id, actorType: "Agent" });
  });

  test("of another certificate is refused and changes nothing", async () => {
    const { agent, job, targetId } = await delivered();
    const refusal = await refusalOf(report(plane, agent, job, succeeded("ab".repeat(32))));
    expect(refusal).toMatchObject({ code: "FailedPrecondition", reason: "NOT_PROVEN" });
    expect(await jobOf(job.id)).toMatchObject({ status: "Pending", attempts: 0 });
    expect(await placeOf(targetId)).toMatchObject({ versionId: null, servedFingerprint: null });
  });

  test("that comes after the lease ran out is accepted once", async () => {
    const delivery = await delivered();
    const { agent, job, version } = delivery;
    await lose(delivery);
    expect(await jobOf(job.id)).toMatchObject({ status: "Pending" });
    const proof = succeeded(version.fingerprintSha256);
    expect(await report(plane, agent, job, proof)).toBe("Completed");
    expect(await report(plane, agent, job, proof)).toBe("Completed");
    expect(await jobOf(job.id)).toMatchObject({ status: "Completed", attempts: 1, errorStep: "" });
    const proven = { action: "deployment_proven", resourceId: job.id };
    expect(await plane.db.auditEvent.count({ where: proven })).toBe(1);
  });

  test("that comes between the lease's end and the sweep is accepted", async () => {
    const { agent, job, version } = await delivered();
    await progress({ agent, job });
    await endLease(plane, job.id);
    expect(await report(plane, agent, job, succeeded(version.fingerprintSha256))).toBe("Completed");
  });

  test("for a delivery that ran out unacknowledged is accepted and counts as an attempt", async () => {
    const { agent, job, version } = await delivered();
    await endLease(plane, job.id);
    await reclaimExpired(plane.db, plane.time.now);
    expect(await report(plane, agent, job, succeeded(version.fingerprintSha256))).toBe("Completed");
    expect(await jobOf(job.id)).toMatchObject({ attempts: 1 });
  });

  test("is refused when the job was given out again meanwhile", async () => {
    const { agent, job, version } = await delivered();
    await endLease(plane, job.id);
    const newer = await claimOne(plane, agent);
    const proof = succeeded(version.fingerprintSha256);
    expect(await refusalOf(report(plane, agent, job, proof))).toMatchObject(lost);
    expect(await report(plane, agent, newer, proof)).toBe("Completed");
  });

  test("that comes after a newer deployment was proven does not take its place", async () => {
    const { agent, job, version, targetId } = await delivered();
    const newer = await issueVersion(plane, agent, version.certificateId);
    await report(plane, agent, await claimOne(plane, agent), succeeded(newer.fingerprintSha256));
    expect(await report(plane, agent, job, succeeded(version.fingerprintSha256))).toBe("Completed");
    const place = { versionId: newer.id, servedFingerprint: newer.fingerprintSha256 };
    expect(await placeOf(targetId)).toMatchObject(place);
  });

  test("is refused when the job has ended without it", async () => {
    const delivery = await delivered();
    const { agent, job, version } = delivery;
    await plane.db.job.update({ where: { id: job.id }, data: { attempts: 4 } });
    await lose(delivery);
    expect(await jobOf(job.id)).toMatchObject({ status: "Failed" });
    expect(await refusalOf(report(plane, agent, job, succeeded(version.fingerprintSha256)))).toMatchObject(
      lost,
    );
  });

  test("of an issuance is refused: that succeeds with its CSR", async () => {
    const agent = await newAgent(plane);
    const job = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
    const refusal = await refusalOf(report(plane, agent, job, succeeded("ab".repeat(32))));
    expect(refusal).toMatchObject({ code: "FailedPrecondition", reason: "CSR_EXPECTED" });
  });
});

describe("a failure", () => {
  test("that may pass is answered with Pending, again and again", async () => {
    const { agent, job } = await delivered();
    expect(await report(plane, agent, job, failed(true))).toBe("Pending");
    expect(await report(plane, agent, job, failed(true))).toBe("Pending");
    expect(await jobOf(job.id)).toMatchObject({
      attempts: 1,
      errorStep: "reload",
      errorMessage: "it did not",
    });
    expect((await stepsOf(job.id)).filter((step) => step === "failed")).toHaveLength(1);
  });

  test("that is final is answered with Failed, again and again", async () => {
    const { agent, job } = await delivered();
    expect(await report(plane, agent, job, failed(false))).toBe("Failed");
    expect(await report(plane, agent, job, failed(false))).toBe("Failed");
  });

  test("says what the target serves now without saying that it is proven", async () => {
    const { agent, job, targetId } = await delivered();
    const { value } = failed(true);
    const result = { case: "failed" as const, value: { ...value, servedFingerprintSha256: "cd".repeat(32) } };
    await report(plane, agent, job, result);
    expect(await placeOf(targetId)).toMatchObject({ servedFingerprint: "cd".repeat(32), versionId: null });
  });

  test("is not accepted late", async () => {
    const delivery = await delivered();
    const { agent, job } = delivery;
    await lose(delivery);
    expect(await refusalOf(report(plane, agent, job, failed(false)))).toMatchObject(lost);
  });

  test("of a target leaves the certificate's own last error alone", async () => {
    const { agent, job, version } = await delivered();
    await report(plane, agent, job, failed(false));
    const where = { id: version.certificateId };
    expect((await plane.db.managedCertificate.findUniqueOrThrow({ where })).lastError).toBe("");
  });
});

describe("a result", () => {
  test("of another agent is refused", async () => {
    const { job, version } = await delivered();
    const other = await newAgent(plane);
    const proof = succeeded(version.fingerprintSha256);
    expect(await refusalOf(report(plane, other, job, proof))).toMatchObject(lost);
  });

  test("under the lease of an accepted CSR answers how the job stands", async () => {
    const agent = await newAgent(plane);
    const job = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
    await submitCsr(plane, agent, job);
    expect(await report(plane, agent, job, failed(false))).toBe("Running");
  });
});
