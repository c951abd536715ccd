import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HeartbeatRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import { newPolicy, newWebhook } from "../../test/channels.ts";
import {
  type ControlPlane,
  claimOne,
  failed,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  report,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { lockJob, takeUp } from "../jobs/lease.ts";
import { checkAgents } from "./health.ts";
import { heartbeat } from "./heartbeat.ts";
import { findAgent } from "./view.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeEach(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
  await plane.db.replica.create({ data: { id: "replica" } });
  await connect();
});
afterEach(() => plane[Symbol.asyncDispose]());

/** Opens a stream, as far as the database sees one. */
async function connect(): Promise<void> {
  await plane.db.agent.update({ where: { id: agent.id }, data: { sessionId: "s", replicaId: "replica" } });
  await plane.db.$executeRaw`UPDATE agents SET last_heartbeat_at = now() WHERE id = ${agent.id}`;
}
async function fallSilent(): Promise<void> {
  await plane.db
    .$executeRaw`UPDATE agents SET last_heartbeat_at = now() - interval '151 s' WHERE id = ${agent.id}`;
}
const viewOf = async () => {
  const view = await findAgent(plane.db, unrestricted, agent.id);
  if (!view) throw new Error("no agent");
  return view;
};
const check = () => checkAgents(plane.db, plane.time.now);
const told = async () =>
  (await plane.db.notification.findMany({ where: { agentId: agent.id }, orderBy: { createdAt: "asc" } })).map(
    ({ effect }) => effect,
  );

describe("an agent that falls silent", () => {
  test("counts as lost, and what it held waits for its return without using an attempt", async () => {
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const { id } = await openIssuance(plane, agent, certificateId);
    await plane.db.$transaction(async (tx) => takeUp(tx, await lockJob(tx, id, agent.id)));
    expect(await check()).toBe("0 agents lost, 0 back");
    await fallSilent();
    expect(await check()).toBe("1 agents lost, 0 back");
    expect(await viewOf()).toMatchObject({ status: "Offline", offlineAt: plane.time.now });
    expect(await plane.db.job.findUniqueOrThrow({ where: { id } })).toMatchObject({
      status: "AwaitingCSR",
      attempts: 0,
      leaseExpiresAt: null,
    });
    await connect();
    expect(await claimOne(plane, agent)).toMatchObject({ id });
  });

  test("is told of once, and once more when it is back", async () => {
    const hook = { url: "https://localhost:9/hook", ca: undefined };
    const notifierId = await newWebhook(plane, hook);
    const renewalPolicyId = await newPolicy(plane, [
      { notifierId, thresholdsDays: [], events: ["AgentOffline"] },
    ]);
    await newCertificate(plane, { agentId: agent.id, renewalPolicyId });
    await fallSilent();
    await Promise.all([check(), check(), check()]);
    await check();
    expect(await told()).toEqual(["trigger"]);
    await connect();
    plane.time.now = new Date(plane.time.now.getTime() + 1_000);
    await Promise.all([check(), check()]);
    expect(await told()).toEqual(["trigger", "resolve"]);
    expect((await viewOf()).offlineAt).toBeNull();
  });

  test("a moment ago may only be restarting", async () => {
    await plane.db.agent.update({ where: { id: agent.id }, data: { sessionId: null } });
    expect((await viewOf()).status).toBe("Offline");
    expect(await check()).toBe("0 agents lost, 0 back");
  });

  test("and never was there is nobody's loss", async () => {
    await newAgent(plane);
    expect(await check()).toBe("0 agents lost, 0 back");
  });
});

describe("an agent that is there", () => {
  test("is Degraded when its last work failed, until something succeeds", async () => {
    const certificateId = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)] });
    const version = await issueVersion(plane, agent, certificateId);
    expect(await viewOf()).toMatchObject({ status: "Online", problems: [] });
    const job = await claimOne(plane, agent);
    plane.time.now = new Date(plane.time.now.getTime() + 1_000);
    await report(plane, agent, job, failed(false));
    expect(await viewOf()).toMatchObject({
      status: "Degraded",
      problems: [`its last work failed: ${job.id}: reload: it did not`],
    });
    // Whoever does not reach the certificate is told that something failed, and nothing of what.
    const stranger = await findAgent(plane.db, { teamIds: ["t-none"], issuerIds: [] }, agent.id);
    expect(stranger).toMatchObject({ status: "Degraded", problems: ["its last work failed"] });
    plane.time.now = new Date(plane.time.now.getTime() + 1_000);
    const next = await issueVersion(plane, agent, certificateId);
    await report(plane, agent, await claimOne(plane, agent), succeeded(next.fingerprintSha256));
    expect(next.id).not.toBe(version.id);
    expect(await viewOf()).toMatchObject({ status: "Online" });
  });

  test.each([
    [90_000, ["its clock is 90 s ahead"]],
    [-3_600_000, ["its clock is 3600 s behind"]],
    [5_000, []],
    [9e12, ["its clock is 2000000 s ahead"]],
  ])("with a clock that is %i ms off has the problems %j", async (skewMs, problems) => {
    const agentTime = timestampFromDate(
      new Date(Math.min(plane.time.now.getTime() + skewMs, 253_402_300_799_000)),
    );
    const request = create(HeartbeatRequestSchema, { epoch: 1, agentTime });
    await heartbeat(plane.db, agent.id, request, plane.time.now);
    expect(await viewOf()).toMatchObject({ status: problems.length > 0 ? "Degraded" : "Online", problems });
  });
});
