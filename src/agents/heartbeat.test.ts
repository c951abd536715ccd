import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HeartbeatRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import { openAudit } from "../../test/audit.ts";
import {
  type ControlPlane,
  claimOne,
  dayMs,
  failed,
  hourMs,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  report,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { deployCertificate } from "../certificates/deploy.ts";
import { heartbeat } from "./heartbeat.ts";

let plane: ControlPlane;
let agent: TestAgent;
let certificateId: string;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  agent = await newAgent(plane);
  certificateId = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)] });
});

function beat(keyIds: string[] = [], { epoch = 1, of = agent } = {}) {
  return heartbeat(plane.db, of.id, create(HeartbeatRequestSchema, { epoch, keyIds }), plane.time.now);
}
const destroyed = async (...keyIds: string[]) => (await beat(keyIds)).destroyKeyIds;
const wait = (ms: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
};

/** Issues a version a minute later; it stays unproven. */
async function issued() {
  wait(60_000);
  return issueVersion(plane, agent, certificateId);
}

/** Issues a version and, an hour later, has it proven on the agent's one target. */
async function proven() {
  const version = await issued();
  wait(hourMs);
  await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
  return version;
}

describe("a heartbeat", () => {
  test("brings the newest checkpoint of the audit, for the agent to witness", async () => {
    expect((await beat()).auditCheckpoint).toBe("");
    const audit = await openAudit(plane);
    const sealed = await audit.seal();
    expect((await beat()).auditCheckpoint).toBe(`${sealed?.seq}:${sealed?.hash.toString("hex")}`);
  });

  test("shows that the agent is alive", async () => {
    await beat();
    const { lastHeartbeatAt } = await plane.db.agent.findUniqueOrThrow({ where: { id: agent.id } });
    expect(lastHeartbeatAt).not.toBeNull();
  });

  test("says whether the agent's stream is the newest", async () => {
    expect(await beat([], { epoch: 1 })).toMatchObject({ epochCurrent: true });
    expect(await beat([], { epoch: 0 })).toMatchObject({ epochCurrent: false });
  });
});

describe("a key is destroyed", () => {
  test("24 hours after its successor was proven", async () => {
    const [old, current] = [await proven(), await proven()];
    expect(await destroyed(old.jobId, current.jobId)).toEqual([]);
    wait(dayMs - 1);
    expect(await destroyed(old.jobId, current.jobId)).toEqual([]);
    wait(1);
    expect(await destroyed(old.jobId, current.jobId)).toEqual([old.jobId]);
  });

  test("24 hours after its successor was issued where there is no target", async () => {
    certificateId = await newCertificate(plane, { agentId: agent.id });
    const [old, current] = [await issued(), await issued()];
    wait(dayMs - 1);
    expect(await destroyed(old.jobId, current.jobId)).toEqual([]);
    wait(1);
    expect(await destroyed(old.jobId, current.jobId)).toEqual([old.jobId]);
  });

  test("at once when its job ended without a certificate", async () => {
    const job = await openIssuance(plane, agent, certificateId);
    expect(await destroyed(job.id)).toEqual([]);
    await report(plane, agent, job, failed(false));
    expect(await destroyed(job.id)).toEqual([job.id]);
  });

  test("with all that is older than it", async () => {
    const [oldest, older, current] = [await proven(), await proven(), await proven()];
    wait(dayMs);
    const keyIds = await destroyed(current.jobId, older.jobId, oldest.jobId);
    expect(keyIds.sort()).toEqual([oldest.jobId, older.jobId].sort());
  });

  test("whatever is unproven on another agent's targets", async () => {
    const targetId = await newTarget(plane, await newAgent(plane));
    const [old] = [await proven(), await proven()];
    await plane.db.certificateTarget.create({ data: { certificateId, targetId } });
    wait(dayMs);
    expect(await destroyed(old.jobId)).toEqual([old.jobId]);
  });
});

describe("a key is kept", () => {
  test("as the current one, however old", async () => {
    const current = await proven();
    wait(400 * dayMs);
    expect(await destroyed(current.jobId)).toEqual([]);
  });

  test("while its successor is unproven on one of the agent's targets", async () => {
    const old = await proven();
    const second = await newTarget(plane, agent);
    await plane.db.certificateTarget.create({ data: { certificateId, targetId: second } });
    await issued();
    wait(30 * dayMs);
    expect(await destroyed(old.jobId)).toEqual([]);
  });

  test("while a target serves it again after a rollback", async () => {
    const [old] = [await proven(), await proven()];
    const request = { id: certificateId, versionId: old.id, targetIds: [] };
    await deployCertificate(plane, operator, request);
    await report(plane, agent, await claimOne(plane, agent), succeeded(old.fingerprintSha256));
    wait(30 * dayMs);
    expect(await destroyed(old.jobId)).toEqual([]);
  });

  test("while a rollback to it is under way", async () => {
    const [old] = [await proven(), await proven()];
    wait(dayMs);
    await deployCertificate(plane, operator, { id: certificateId, versionId: old.id, targetIds: [] });
    expect(await destroyed(old.jobId)).toEqual([]);
  });

  test("when the database does not know it: it may be a restored backup", async () => {
    expect(await destroyed("job-unknown", "something")).toEqual([]);
  });

  test("when another agent names it", async () => {
    const [old] = [await proven(), await proven()];
    wait(dayMs);
    const other = await newAgent(plane);
    expect(await beat([old.jobId], { of: other })).toMatchObject({ destroyKeyIds: [] });
  });

  test("while its job is open", async () => {
    const [old, job] = [await proven(), await openIssuance(plane, agent, certificateId)];
    wait(dayMs);
    expect(await destroyed(job.id, old.jobId)).toEqual([]);
  });
});
