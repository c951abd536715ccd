import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ControlPlane,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  submitCsr,
} from "../../test/fixtures.ts";
import { claim } from "../jobs/lease.ts";
import { issue } from "./issue.ts";
import { listVersions } from "./store.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

test("versions are numbered by the renewal that made them, whatever the page", async () => {
  const [first, second] = [await newAgent(plane), await newAgent(plane)];
  const targetIds = [await newTarget(plane, first), await newTarget(plane, second)];
  const id = await newCertificate(plane, { targetIds });
  for (let round = 1; round <= 2; round += 1) {
    plane.time.now = new Date(plane.time.now.getTime() + 60_000);
    await issueVersion(plane, first, id);
    const [job] = await claim(plane.db, second.session, plane.time.now);
    if (!job) throw new Error("the second agent was to make a key");
    await submitCsr(plane, second, job);
    await issue(plane, job.id, new AbortController().signal);
    await plane.db.job.updateMany({ where: { type: "Deployment" }, data: { status: "Cancelled" } });
  }
  const { rows } = await listVersions(plane.db, id, 0, 10);
  expect(rows.map(({ number }) => number)).toEqual([2, 2, 1, 1]);
  expect((await listVersions(plane.db, id, 3, 1)).rows.map(({ number }) => number)).toEqual([1]);
});
