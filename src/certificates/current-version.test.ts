import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  dayMs,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  newTarget,
  openControlPlane,
  operator,
  submitCsr,
  type TestAgent,
} from "../../test/fixtures.ts";
import { issue } from "./issue.ts";
import { renewCertificate } from "./renew.ts";

let plane: ControlPlane;
let agents: [TestAgent, TestAgent];
beforeEach(async () => {
  plane = await openControlPlane();
  agents = [await newAgent(plane), await newAgent(plane)];
});
afterEach(() => plane[Symbol.asyncDispose]());

const current = async (certificateId: string) =>
  (await plane.db.currentVersion.findUnique({ where: { certificateId } }))?.versionId;

/** A certificate whose keys two agents make; the first one's version ends a day before the other's. */
async function onBoth() {
  const targetIds = [await newTarget(plane, agents[0]), await newTarget(plane, agents[1])];
  const id = await newCertificate(plane, { targetIds });
  await renewCertificate(plane, operator, id);
  const jobs: string[] = [];
  for (const agent of agents) {
    const job = await claimOne(plane, agent);
    await submitCsr(plane, agent, job, newCsr(["site.example"]));
    jobs.push(job.id);
  }
  const signed = plane.time.now.getTime();
  /** Signs the job of one of them. */
  const sign = (index: number) => {
    const deps = { ...plane, clock: () => new Date(signed + index * dayMs) };
    return issue(deps, jobs[index] ?? "", new AbortController().signal);
  };
  return { id, targetIds, sign };
}

describe("the current version", () => {
  test("says what the version says, and nothing before there is one", async () => {
    const id = await newCertificate(plane, { agentId: agents[0].id });
    expect(await current(id)).toBeUndefined();
    const version = await issueVersion(plane, agents[0], id);
    expect(await plane.db.currentVersion.findUnique({ where: { certificateId: id } })).toMatchObject({
      versionId: version.id,
      serial: version.serial,
      fingerprintSha256: version.fingerprintSha256,
      notBefore: version.notBefore,
      notAfter: version.notAfter,
      renewAt: version.renewAt,
    });
  });

  test("is another when a target is taken from its agent, and when it gets it back", async () => {
    const { id, targetIds, sign } = await onBoth();
    await sign(0);
    await sign(1);
    const versions = await plane.db.certificateVersion.findMany({ orderBy: { notAfter: "asc" } });
    expect(await current(id)).toBe(versions[0]?.id);
    const place = { certificateId: id, targetId: targetIds[0] ?? "" };
    await plane.db.certificateTarget.deleteMany({ where: place });
    const [left] = versions.filter(({ agentId }) => agentId === agents[1].id);
    expect(await current(id)).toBe(left?.id);
    await plane.db.certificateTarget.create({ data: place });
    expect(await current(id)).toBe(versions[0]?.id);
  });

  test("is right when two agents' versions are stored at the same moment", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id, sign } = await onBoth();
      await Promise.all([sign(1), sign(0)]);
      const [first, ...others] = await plane.db.certificateVersion.findMany({
        where: { certificateId: id },
        orderBy: { notAfter: "asc" },
      });
      expect(others).toHaveLength(1);
      expect(await current(id)).toBe(first?.id);
      // Their deployments are nothing to wait for.
      await plane.db.job.updateMany({ where: { status: "Pending" }, data: { status: "Cancelled" } });
    }
  });
});
