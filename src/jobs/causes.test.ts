import { afterEach, beforeEach, describe, expect, test } from "vitest";
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
  openIssuance,
  operator,
  refusalOf,
  report,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { archiveCertificate } from "../certificates/declare.ts";
import { retryJobs } from "../operations/retry-jobs.ts";
import { runOperation } from "../operations/run.ts";
import { findOperation } from "../operations/view.ts";
import { type Cause, listCauses } from "./causes.ts";
import { claim } from "./lease.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeEach(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
});
afterEach(() => plane[Symbol.asyncDispose]());

const { signal } = new AbortController();
const since = () => new Date(plane.time.now.getTime() - dayMs);
const causes = (grants = unrestricted): Promise<Cause[]> =>
  listCauses(plane.db, grants, { since: since(), types: [] });
const failure = (step: string, message: string) => ({
  case: "failed" as const,
  value: { step, message, retryable: false },
});

/** A certificate whose deployment failed. */
async function failedDeployment(message: string, step = "reload", by = agent): Promise<string> {
  const id = await newCertificate(plane, { targetIds: [await newTarget(plane, by)] });
  await issueVersion(plane, by, id);
  await report(plane, by, await claimOne(plane, by), failure(step, message));
  return id;
}
const jobOf = async (certificateId: string) =>
  plane.db.job.findFirstOrThrow({ where: { certificateId, type: "Deployment" } });
const retry = (causeId: string, changes: { isDryRun?: boolean; expectedJobs?: number } = {}) =>
  retryJobs(plane, operator, {
    causeId,
    since: since(),
    isDryRun: false,
    expectedJobs: undefined,
    ...changes,
  });

describe("causes of failures", () => {
  test("put together what differs only in ids, hashes, times and numbers", async () => {
    await failedDeployment("exit 1 after 120 ms at 2030-06-01T12:00:00.000Z in tgt-abcdefghjkmn");
    const second = await failedDeployment("exit 2 after 9 ms at 2030-06-01T12:03:00Z in tgt-mnpqrstuvwxy");
    await failedDeployment("exit 1 after 120 ms", "proof");
    const [first, ...others] = await causes();
    expect(first).toMatchObject({
      type: "Deployment",
      step: "reload",
      message: "exit # after # ms at … in …",
      failureClass: "Configuration",
      targetKind: "files",
      issuerId: "",
      jobs: 2,
      retryable: 2,
      certificates: 2,
      agents: 1,
    });
    expect(first?.sampleJobIds).toContain((await jobOf(second)).id);
    expect(others).toMatchObject([{ step: "proof", jobs: 1 }]);
  });

  test("keep issuances apart by their issuer, and count agents", async () => {
    await plane.db.issuer.create({ data: { id: "iss-two", name: "two", kind: "local-ca", config: {} } });
    const other = await newAgent(plane);
    for (const [by, issuerId] of [
      [agent, ""],
      [other, ""],
      [agent, "iss-two"],
    ] as const) {
      const id = await newCertificate(plane, { agentId: by.id, issuerId });
      await report(plane, by, await openIssuance(plane, by, id), failure("key", "none"));
    }
    expect(await causes()).toMatchObject([
      { issuerId: "iss-local", jobs: 2, agents: 2 },
      { issuerId: "iss-two", jobs: 1, agents: 1 },
    ]);
  });

  test("look back as long as wanted, at what the grants reach", async () => {
    await failedDeployment("no");
    expect(await causes({ teamIds: ["t-other"], issuerIds: [] })).toEqual([]);
    const none = await listCauses(plane.db, unrestricted, { since: since(), types: ["Renewal"] });
    expect(none).toEqual([]);
    plane.time.now = new Date(plane.time.now.getTime() + dayMs + hourMs);
    expect(await causes()).toEqual([]);
  });

  test("do not count as retryable what a newer job has overtaken or what is archived", async () => {
    const overtaken = await failedDeployment("no");
    await archiveCertificate(plane, operator, await failedDeployment("no"));
    plane.time.now = new Date(plane.time.now.getTime() + hourMs);
    const version = await issueVersion(plane, agent, overtaken);
    await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
    expect(await causes()).toMatchObject([{ jobs: 2, retryable: 0 }]);
  });
});

describe("retrying a cause", () => {
  test("counts in a dry run, and then retries every job as one operation", async () => {
    const ids = [await failedDeployment("exit 1"), await failedDeployment("exit 2")];
    const other = await failedDeployment("exit 1", "proof");
    const [cause] = await causes();
    const id = cause?.id ?? "";
    expect(await retry(id, { isDryRun: true })).toEqual({ jobs: 2, certificates: 2, operationId: "" });
    expect(await plane.db.operation.count()).toBe(0);
    const { operationId } = await retry(id, { expectedJobs: 2 });
    await runOperation(plane, operationId, signal);
    expect(await findOperation(plane.db, operationId)).toMatchObject({
      kind: "RetryJobs",
      status: "Completed",
      total: 2,
      done: 2,
      reason: "2 jobs that failed with reload: exit #",
    });
    for (const certificateId of ids) expect((await jobOf(certificateId)).status).toBe("Pending");
    expect((await jobOf(other)).status).toBe("Failed");
    expect(await claim(plane.db, agent.session, plane.time.now)).toHaveLength(2);
  });

  test("is refused when another number fails by now, or nothing does", async () => {
    await failedDeployment("exit 1");
    const id = (await causes())[0]?.id ?? "";
    expect(await refusalOf(retry(id, { expectedJobs: 5 }))).toMatchObject({
      reason: "TOTAL_CHANGED",
      fields: ["expected_jobs"],
    });
    expect(await refusalOf(retry("none"))).toMatchObject({ reason: "NOTHING_TO_RETRY" });
  });

  test("skips a job that somebody retried meanwhile", async () => {
    const id = await failedDeployment("exit 1");
    const { operationId } = await retry((await causes())[0]?.id ?? "");
    await plane.db.job.update({ where: { id: (await jobOf(id)).id }, data: { status: "Pending" } });
    await runOperation(plane, operationId, signal);
    expect(await findOperation(plane.db, operationId)).toMatchObject({ skipped: 1, failed: 0 });
  });
});
