import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  allCertificates,
  type ControlPlane,
  claimOne,
  dayMs,
  failed,
  issueVersion,
  newAgent,
  newCertificate,
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
import { issue } from "../certificates/issue.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { claim } from "../jobs/lease.ts";
import { retryJob } from "../jobs/retry-by-hand.ts";
import { createOperation } from "../operations/create.ts";
import { runOperation } from "../operations/run.ts";
import { checkRenewals } from "../renewals/check.ts";
import { type Journey, readJourney, renewalOf } from "./journey.ts";
import { listJourneys } from "./list.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const { signal } = new AbortController();

function pass(ms: number) {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
}

async function read(id: string, renewalId = ""): Promise<Journey> {
  const renewal = await renewalOf(plane.db, id, renewalId);
  return readJourney(plane.db, { id, issuerId: "iss-local" }, renewal, { now: plane.time.now });
}
const stagesOf = (track: Journey["keys"][number] | undefined) =>
  track?.course.stages.map(({ step, state }) => `${step} ${state}`);

async function declared(targets = 1) {
  const agent = await newAgent(plane);
  const targetIds: string[] = [];
  for (let i = 0; i < targets; i += 1) targetIds.push(await newTarget(plane, agent));
  return { agent, targetIds, id: await newCertificate(plane, { targetIds, agentId: agent.id }) };
}

/** Has every deployment of the agent that is due end like this, in the order in which they are given out. */
async function deploy(agent: TestAgent, fingerprint: string, ...ends: ("proven" | "failed" | "retried")[]) {
  const given = await claim(plane.db, agent.session, plane.time.now);
  for (const [index, end] of ends.entries()) {
    const job = given[index];
    if (job)
      await report(plane, agent, job, end === "proven" ? succeeded(fingerprint) : failed(end === "retried"));
  }
}

describe("a journey", () => {
  test("shows the targets that wait while the key is made", async () => {
    const { agent, id, targetIds } = await declared(2);
    await openIssuance(plane, agent, id);
    const journey = await read(id);
    expect(journey).toMatchObject({ state: "Running", outcome: null, endedAt: null });
    expect(stagesOf(journey.keys[0])).toEqual([
      "Key Running",
      "Csr Pending",
      "Order Pending",
      "Issued Pending",
    ]);
    expect(journey.lanes.map(({ target, course }) => [target?.id, course.state])).toEqual(
      targetIds.map((target) => [target, "Pending"]).sort(),
    );
  });

  test("goes from the key to the proof, with what is served beside what is expected", async () => {
    const { agent, id } = await declared();
    const version = await issueVersion(plane, agent, id);
    const under = await read(id);
    expect(stagesOf(under.keys[0])).toEqual(["Key Done", "Csr Done", "Order Done", "Issued Done"]);
    expect(under.keys[0]?.course.stages[2]?.startedAt).toBeInstanceOf(Date);
    expect(stagesOf(under.lanes[0])?.[0]).toBe("Delivered Running");
    await deploy(agent, version.fingerprintSha256, "proven");
    const journey = await read(id);
    expect(journey).toMatchObject({
      state: "Done",
      outcome: "Proven",
      endedAt: plane.time.now,
      lanes: [
        { job: { fingerprint: version.fingerprintSha256, servedFingerprint: version.fingerprintSha256 } },
      ],
    });
    expect(journey.lanes[0]?.course.state).toBe("Done");
  });

  test("has one track for each agent that makes a key, and says where it got stuck", async () => {
    const [well, ill] = [await newAgent(plane), await newAgent(plane)];
    const targetIds = [await newTarget(plane, well), await newTarget(plane, ill)];
    const id = await newCertificate(plane, { targetIds });
    await renewCertificate(plane, operator, id);
    const job = await claimOne(plane, well);
    await submitCsr(plane, well, job);
    await issue(plane, job.id, signal);
    await deploy(
      well,
      (await plane.db.certificateVersion.findUniqueOrThrow({ where: { jobId: job.id } })).fingerprintSha256,
      "proven",
    );
    await report(plane, ill, await claimOne(plane, ill), failed(false));
    const journey = await read(id);
    expect(journey).toMatchObject({ state: "PartlyDone", outcome: "PartlyProven" });
    const broken = journey.keys.find(({ job: key }) => key?.agentId === ill.id);
    expect(broken).toMatchObject({
      course: { state: "Failed", attempts: [{ error: "reload: it did not" }] },
    });
    const skipped = journey.lanes.find(({ target }) => target?.agentId === ill.id);
    expect(skipped?.course.state).toBe("Skipped");
  });

  test("waits between attempts, and shows each of them", async () => {
    const { agent, id } = await declared();
    const version = await issueVersion(plane, agent, id);
    await deploy(agent, version.fingerprintSha256, "retried");
    const waiting = await read(id);
    expect(waiting).toMatchObject({ state: "Waiting", outcome: null });
    expect(stagesOf(waiting.lanes[0])?.[2]).toBe("Reloaded Failed");
    pass(dayMs);
    await deploy(agent, version.fingerprintSha256, "proven");
    const lane = (await read(id)).lanes[0];
    expect(lane?.course.attempts.map(({ number, state }) => [number, state])).toEqual([
      [1, "Failed"],
      [2, "Done"],
    ]);
  });

  test("shows the newest deployment to a target", async () => {
    const { agent, id } = await declared();
    const version = await issueVersion(plane, agent, id);
    await deploy(agent, version.fingerprintSha256, "failed");
    expect((await read(id)).outcome).toBe("NotProven");
    const job = (await read(id)).lanes[0]?.job?.id ?? "";
    await retryJob(plane, operator, job);
    expect((await read(id)).state).toBe("Running");
    await cancelJob(plane, operator, job);
    expect(await read(id)).toMatchObject({ state: "Cancelled", outcome: "NotProven" });
  });

  test("of a certificate that was never to be issued does not exist, nor does another's", async () => {
    const { id } = await declared();
    expect(await refusalOf(read(id))).toMatchObject({ code: "NotFound" });
    expect(await refusalOf(read(id, "rn-none"))).toMatchObject({ code: "NotFound" });
  });
});

describe("what set a journey off", () => {
  test("is whoever asked for it, the first time and later", async () => {
    const { agent, id } = await declared(0);
    await issueVersion(plane, agent, id);
    const first = await read(id);
    expect(first.trigger).toMatchObject({ cause: "Asked", actor: operator.id });
    expect(first.trigger.reason).toBe("First issued, on request");
    pass(1_000);
    await renewCertificate(plane, operator, id);
    expect((await read(id)).trigger.reason).toBe("Renewed on request");
  });

  test("is the plan, once its planned renewal is due", async () => {
    const { agent, id } = await declared(0);
    await issueVersion(plane, agent, id);
    pass(40 * dayMs);
    await checkRenewals({ ...plane, jitterMs: 0, early: { share: 1, atLeast: 50 } }, plane.time.now, signal);
    expect((await read(id)).trigger).toMatchObject({ cause: "Planned", actor: "system" });
    await plane.db.job.updateMany({ where: { certificateId: id }, data: { isEarly: true } });
    expect((await read(id)).trigger.cause).toBe("Early");
  });

  test("is the operation that it was part of", async () => {
    const { agent, id } = await declared(0);
    await issueVersion(plane, agent, id);
    pass(1_000);
    const operation = await createOperation(plane, operator, {
      kind: "Renew",
      filter: { ...allCertificates, ids: [id] },
      filterJson: {},
      changes: { ownerId: undefined, teamId: undefined, renewalPolicyId: undefined, environment: undefined },
      revocation: null,
      expectedTotal: undefined,
    });
    await runOperation(plane, operation, signal);
    expect((await read(id)).trigger).toMatchObject({ cause: "Operation", operationId: operation });
  });
});

describe("how long a stage is expected to take", () => {
  test("is the middle of this certificate's last times, or of its kind's where those are too few", async () => {
    const { agent, id } = await declared(0);
    const steps = [40_000, 1_000, 3_000];
    for (const ms of steps) {
      const { jobId } = await issueVersion(plane, agent, id);
      await plane.db.$executeRaw`
        UPDATE job_events SET at = (SELECT min(at) FROM job_events WHERE job_id = ${jobId}) + ${ms} * interval '1 millisecond'
        WHERE job_id = ${jobId} AND step = 'csr_accepted'`;
      await plane.db.$executeRaw`
        INSERT INTO job_events (job_id, at, step, attempt) SELECT job_id, at, 'key_generated', 1 FROM job_events
        WHERE job_id = ${jobId} AND step = 'csr_accepted'`;
    }
    expect((await read(id)).expected.key.get("Key")).toBe(3_000);
    const other = await declared(0);
    await issueVersion(plane, other.agent, other.id);
    expect((await read(other.id)).expected.key.get("Key")).toBeGreaterThan(0);
  });
});

describe("the journeys of a certificate", () => {
  test("are listed newest first, each with what it came to", async () => {
    const { agent, id } = await declared(2);
    const version = await issueVersion(plane, agent, id);
    await deploy(agent, version.fingerprintSha256, "proven", "failed");
    pass(dayMs);
    const job = await openIssuance(plane, agent, id);
    await report(plane, agent, job, failed(false));
    const { rows, total } = await listJourneys(plane.db, id, { page: 0, perPage: 0 }, plane.time.now);
    expect(total).toBe(2);
    expect(rows).toMatchObject([
      { state: "Failed", outcome: "NotProven", keys: 1, issued: 0, targets: 0, error: "reload: it did not" },
      { state: "PartlyDone", outcome: "PartlyProven", keys: 1, issued: 1, targets: 2, proven: 1 },
    ]);
    const second = await listJourneys(plane.db, id, { page: 2, perPage: 1 }, plane.time.now);
    expect(second.rows.map(({ renewalId }) => renewalId)).toEqual([rows[1]?.renewalId]);
  });
});
