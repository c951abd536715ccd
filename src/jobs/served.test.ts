import { afterAll, beforeAll, expect, test } from "vitest";
import { newNotifier, newPolicy } from "../../test/channels.ts";
import {
  type ControlPlane,
  claimOne,
  dayMs,
  hourMs,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  operator,
  report,
  succeeded,
} from "../../test/fixtures.ts";
import { deployCertificate } from "../certificates/deploy.ts";
import { validateCertificate } from "../certificates/validate.ts";

let plane: ControlPlane;
let channel: string;
beforeAll(async () => {
  plane = await openControlPlane();
  channel = await newNotifier(plane, "slack", { webhook_url: "https://hooks.slack.com/services/T0/B0/x" });
});
afterAll(() => plane[Symbol.asyncDispose]());

const stranger = "ab".repeat(32);

function pass(ms: number): void {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
}

/** A certificate that is proven at a target, under a policy that tells of drift. */
async function proven({ healDrift }: { healDrift: boolean }) {
  const channels = [{ notifierId: channel, thresholdsDays: [], events: ["TargetDrifted"] }];
  const renewalPolicyId = await newPolicy(plane, channels, { healDrift });
  const agent = await newAgent(plane);
  const targetId = await newTarget(plane, agent);
  const certificateId = await newCertificate(plane, { targetIds: [targetId], renewalPolicyId });
  const version = await issueVersion(plane, agent, certificateId);
  await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
  const key = { certificateId_targetId: { certificateId, targetId } };
  return {
    agent,
    certificateId,
    targetId,
    version,
    place: () => plane.db.certificateTarget.findUniqueOrThrow({ where: key }),
    /** Has the agent look, and see this; empty: nothing. */
    async sees(servedFingerprintSha256: string) {
      await validateCertificate(plane, operator, { id: certificateId, targetIds: [] });
      const job = await claimOne(plane, agent);
      await report(plane, agent, job, { case: "observed", value: { servedFingerprintSha256 } });
    },
    told: () =>
      plane.db.notification.findMany({
        where: { certificateId, type: "TargetDrifted" },
        orderBy: { createdAt: "asc" },
        select: { subject: true, effect: true, message: true },
      }),
    deployments: () =>
      plane.db.job.findMany({
        where: { certificateId, type: "Deployment" },
        orderBy: { generation: "asc" },
      }),
  };
}

test("a place that serves something else is told of once, and once more when it serves its own again", async () => {
  const one = await proven({ healDrift: false });
  pass(hourMs);
  const since = plane.time.now;
  await one.sees(stranger);
  expect(await one.place()).toMatchObject({ driftedAt: since, servedFingerprint: stranger, healedAt: null });
  pass(hourMs);
  await one.sees(stranger);
  await one.sees("");
  expect(await one.place()).toMatchObject({ driftedAt: since, servedFingerprint: null });
  pass(hourMs);
  await one.sees(one.version.fingerprintSha256);
  expect(await one.place()).toMatchObject({ driftedAt: null });
  expect(await one.told()).toEqual([
    {
      subject: `${one.targetId} serves another certificate, not the one of site.example`,
      effect: "trigger",
      message: expect.stringContaining("Deploy it again"),
    },
    {
      subject: `${one.targetId} serves the certificate of site.example again`,
      effect: "resolve",
      message: expect.any(String),
    },
  ]);
  expect(await one.deployments()).toHaveLength(1);
});

test("a place that was never proven has not drifted", async () => {
  const agent = await newAgent(plane);
  const certificateId = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)] });
  await validateCertificate(plane, operator, { id: certificateId, targetIds: [] });
  const value = { servedFingerprintSha256: stranger };
  await report(plane, agent, await claimOne(plane, agent), { case: "observed", value });
  const [place] = await plane.db.certificateTarget.findMany({ where: { certificateId } });
  expect(place).toMatchObject({ servedFingerprint: stranger, driftedAt: null });
});

test("where its policy wants it, what belongs there is deployed again", async () => {
  const one = await proven({ healDrift: true });
  pass(hourMs);
  await one.sees("");
  const [, healing] = await one.deployments();
  expect(healing).toMatchObject({ status: "Pending", versionId: one.version.id, targetId: one.targetId });
  expect(await one.place()).toMatchObject({ healedAt: plane.time.now });
  expect(await one.told()).toMatchObject([
    { message: expect.stringContaining(`put right by ${healing?.id}`) },
  ]);
  await report(plane, one.agent, await claimOne(plane, one.agent), succeeded(one.version.fingerprintSha256));
  expect(await one.place()).toMatchObject({ driftedAt: null });
  expect(await one.told()).toMatchObject([{ effect: "trigger" }, { effect: "resolve" }]);
});

test("what is changed again within a day is left to people, a day later it is put right again", async () => {
  const one = await proven({ healDrift: true });
  const back = async () =>
    report(plane, one.agent, await claimOne(plane, one.agent), succeeded(one.version.fingerprintSha256));
  await one.sees(stranger);
  await back();
  pass(dayMs - 1);
  await one.sees(stranger);
  expect(await one.deployments()).toHaveLength(2);
  expect((await one.told()).at(-1)?.message).toContain("something changed it again");
  await one.sees(one.version.fingerprintSha256);
  pass(1);
  await one.sees(stranger);
  expect(await one.deployments()).toHaveLength(3);
});

test("a version that was revoked is not put back", async () => {
  const one = await proven({ healDrift: true });
  const revoked = { revokedAt: plane.time.now, revocationReason: "Superseded" };
  await plane.db.certificateVersion.update({ where: { id: one.version.id }, data: revoked });
  await one.sees(stranger);
  expect(await one.deployments()).toHaveLength(1);
  expect(await one.told()).toMatchObject([{ message: expect.stringContaining("revoked or has ended") }]);
});

test("after a rollback the older version is what belongs there", async () => {
  const one = await proven({ healDrift: true });
  const newer = await issueVersion(plane, one.agent, one.certificateId);
  await report(plane, one.agent, await claimOne(plane, one.agent), succeeded(newer.fingerprintSha256));

  const wanted = { id: one.certificateId, versionId: one.version.id, targetIds: [] };
  await deployCertificate(plane, operator, wanted);
  await report(plane, one.agent, await claimOne(plane, one.agent), succeeded(one.version.fingerprintSha256));
  await one.sees(newer.fingerprintSha256);
  expect((await one.deployments()).map(({ versionId }) => versionId)).toEqual([
    one.version.id,
    newer.id,
    one.version.id,
    one.version.id,
  ]);
});
