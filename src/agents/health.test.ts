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

describe("what an agent says of its agent.yaml", () => {
  const beat = (host?: { entries: { name: string; kind: string; endpoint: string }[]; problem: string }) =>
    heartbeat(
      plane.db,
      agent.id,
      create(HeartbeatRequestSchema, { epoch: 1, ...(host && { host }) }),
      plane.time.now,
    );
  const shop = { name: "shop", kind: "files", endpoint: "127.0.0.1:443" };
  const view = () => findAgent(plane.db, unrestricted, agent.id);

  test("is shown with the target that uses each entry, and stays while nothing else is said", async () => {
    const targetId = await newTarget(plane, agent);
    await plane.db.target.update({ where: { id: targetId }, data: { config: { entry: "shop" } } });
    const spare = { name: "spare", kind: "nginx", endpoint: "" };
    await beat({ entries: [spare, shop], problem: "" });
    const entries = [
      { ...shop, targetId },
      { ...spare, targetId: "" },
    ];
    expect((await view())?.entries).toEqual(entries);
    await beat();
    expect((await view())?.entries).toEqual(entries);
    await beat({ entries: [], problem: "" });
    expect((await view())?.entries).toEqual([]);
  });

  test("makes it degraded while the file is refused", async () => {
    await beat({ entries: [], problem: "targets.shop.kind: has to be one of nginx, files" });
    expect(await view()).toMatchObject({
      status: "Degraded",
      problems: ["its agent.yaml is refused: targets.shop.kind: has to be one of nginx, files"],
    });
    await beat({ entries: [shop], problem: "" });
    expect(await view()).toMatchObject({ status: "Online", problems: [] });
  });
});

test("an agent shows how many jobs wait for it or are at work", async () => {
  const count = async () => (await findAgent(plane.db, unrestricted, agent.id))?.openJobCount;
  const job = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
  expect(await count()).toBe(1);
  await report(plane, agent, job, failed(false));
  expect(await count()).toBe(0);
});

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
