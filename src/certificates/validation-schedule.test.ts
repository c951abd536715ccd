import { afterAll, beforeAll, expect, test } from "vitest";
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
  report,
  succeeded,
} from "../../test/fixtures.ts";
import { validationTask } from "./validation-schedule.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

test("a target that nobody looked at for a day is looked at, once, and again a day later", async () => {
  const { signal } = new AbortController();
  const run = () => validationTask(plane.db, dayMs).run(plane.time.now, signal);
  const pass = (ms: number) => {
    plane.time.now = new Date(plane.time.now.getTime() + ms);
  };
  const agent = await newAgent(plane);
  const target = await newTarget(plane, agent);
  const unproven = await newTarget(plane, agent);
  const certificateId = await newCertificate(plane, { targetIds: [target] });
  await newCertificate(plane, { targetIds: [unproven] });
  const version = await issueVersion(plane, agent, certificateId);
  await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
  expect(await run()).toBe("0 validations opened");
  pass(dayMs);
  expect(await run()).toBe("1 validations opened");
  expect(await run()).toBe("0 validations opened");
  pass(hourMs);
  const job = await claimOne(plane, agent);
  expect(await plane.db.job.findUniqueOrThrow({ where: { id: job.id } })).toMatchObject({
    type: "Validation",
    targetId: target,
    versionId: version.id,
  });
  const served = { servedFingerprintSha256: version.fingerprintSha256 };
  await report(plane, agent, job, { case: "observed", value: served });
  pass(23 * hourMs);
  expect(await run()).toBe("0 validations opened");
  pass(hourMs);
  expect(await run()).toBe("1 validations opened");
});
