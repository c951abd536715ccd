import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  dayMs,
  failed,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  operator,
  refusalOf,
  report,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { archiveCertificate } from "./declare.ts";
import { deployCertificate } from "./deploy.ts";
import { listDeployments, listVersions } from "./store.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const deploy = (id: string, versionId = "", targetIds: string[] = []) =>
  deployCertificate(plane, operator, { id, versionId, targetIds });
const jobOf = (id: string) => plane.db.job.findUniqueOrThrow({ where: { id } });

/** Issues a version and proves it on the agent's one target. */
async function prove(agent: TestAgent, certificateId: string) {
  plane.time.now = new Date(plane.time.now.getTime() + dayMs);
  const version = await issueVersion(plane, agent, certificateId);
  await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
  return version;
}

async function proven() {
  const agent = await newAgent(plane);
  const targetId = await newTarget(plane, agent);
  const id = await newCertificate(plane, { targetIds: [targetId] });
  return { agent, targetId, id, version: await prove(agent, id) };
}

/** Issues a version whose deployment fails, and waits; the deployment's id. */
async function failOnce(agent: TestAgent, certificateId: string): Promise<string> {
  plane.time.now = new Date(plane.time.now.getTime() + dayMs);
  await issueVersion(plane, agent, certificateId);
  const claimed = await claimOne(plane, agent);
  await report(plane, agent, claimed, failed(true));
  expect(await jobOf(claimed.id)).toMatchObject({ status: "Pending" });
  return claimed.id;
}

describe("a deployment by hand", () => {
  test("brings the current version to every target", async () => {
    const { id, targetId, version } = await proven();
    const [jobId = "", second] = await deploy(id);
    expect(second).toBeUndefined();
    const job = { versionId: version.id, targetId, parentJobId: null, generation: 2 };
    expect(await jobOf(jobId)).toMatchObject({ type: "Deployment", status: "Pending", ...job });
  });

  test("of an older version is a rollback, and takes its place in the target's order", async () => {
    const { agent, id, targetId, version } = await proven();
    await prove(agent, id);
    const [jobId = ""] = await deploy(id, version.id, [targetId]);
    expect(await jobOf(jobId)).toMatchObject({ versionId: version.id, generation: 3 });
    await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
    const [deployment] = await listDeployments(plane.db, id);
    expect(deployment).toMatchObject({
      versionId: version.id,
      fingerprint: version.fingerprintSha256,
      jobId,
    });
  });

  test("sets the same deployment going at once that waits for its next attempt", async () => {
    const { agent, id } = await proven();
    const waiting = await failOnce(agent, id);
    const [jobId = ""] = await deploy(id);
    expect(jobId).toBe(waiting);
    expect((await claimOne(plane, agent)).id).toBe(waiting);
  });

  test("of another version cancels the one that waits", async () => {
    const { agent, id, version } = await proven();
    const waiting = await failOnce(agent, id);
    const [jobId = ""] = await deploy(id, version.id);
    expect(jobId).not.toBe(waiting);
    expect(await jobOf(waiting)).toMatchObject({ status: "Cancelled" });
    expect((await claimOne(plane, agent)).id).toBe(jobId);
  });

  test("is refused for a version that has expired", async () => {
    const { id, version } = await proven();
    const before = plane.time.now;
    plane.time.now = version.notAfter;
    expect(await refusalOf(deploy(id))).toMatchObject({ code: "FailedPrecondition", reason: "EXPIRED" });
    plane.time.now = before;
  });

  test("is refused where the version's key does not lie", async () => {
    const { id, version } = await proven();
    const targetId = await newTarget(plane, await newAgent(plane));
    await plane.db.certificateTarget.create({ data: { certificateId: id, targetId } });
    expect(await refusalOf(deploy(id, version.id))).toMatchObject({ reason: "KEY_ELSEWHERE" });
    expect(await refusalOf(deploy(id))).toMatchObject({ reason: "NOT_ISSUED" });
  });

  test("is refused for a version of another certificate", async () => {
    const [{ id }, other] = [await proven(), await proven()];
    expect(await refusalOf(deploy(id, other.version.id))).toMatchObject({ code: "NotFound" });
  });

  test("is refused for targets that are not the certificate's, each named", async () => {
    const { id, targetId } = await proven();
    const refusal = await refusalOf(deploy(id, "", ["tgt-a", targetId, "tgt-b"]));
    const fields = ["target_ids[0]", "target_ids[2]"];
    expect(refusal).toMatchObject({ code: "InvalidArgument", fields });
  });

  test("is refused without a target, and for a certificate that is archived or unknown", async () => {
    const id = await newCertificate(plane, {});
    expect(await refusalOf(deploy(id))).toMatchObject({ reason: "NO_TARGET" });
    await archiveCertificate(plane, operator, id);
    expect(await refusalOf(deploy(id))).toMatchObject({ reason: "ARCHIVED" });
    expect(await refusalOf(deploy("mc-none"))).toMatchObject({ code: "NotFound" });
  });
});

describe("the versions of a certificate", () => {
  test("are listed newest first, the newest of each agent marked as current", async () => {
    const { agent, id, version } = await proven();
    const newest = await prove(agent, id);
    const { total, rows } = await listVersions(plane.db, id, 0, 1);
    expect(total).toBe(2);
    expect(rows).toMatchObject([{ id: newest.id, current: true }]);
    const second = await listVersions(plane.db, id, 1, 1);
    expect(second.rows).toMatchObject([{ id: version.id, current: false }]);
  });
});
