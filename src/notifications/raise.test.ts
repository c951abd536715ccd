import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newNotifier, newPolicy, newWebhook } from "../../test/channels.ts";
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
  submitCsr,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { failAttempt } from "../jobs/retry.ts";
import { defaultRenewalPolicyId } from "../renewal-policies/manage.ts";
import type { LifecycleEvent } from "./event.ts";
import { raiseEvent } from "./raise.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeAll(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
});
afterAll(() => plane[Symbol.asyncDispose]());

const open = { url: "https://receiver.example", ca: undefined };
const raise = (event: LifecycleEvent) => plane.db.$transaction((tx) => raiseEvent(tx, event, plane.time.now));
const toldOf = (certificateId: string) =>
  plane.db.notification.findMany({
    where: { certificateId },
    orderBy: [{ createdAt: "asc" }, { id: "asc" }],
  });

async function mailer(defaultRecipient = "ops@example.com"): Promise<string> {
  return newNotifier(plane, "email", { host: "mail.example.com", from: "a@example.com" }, defaultRecipient);
}

function violation(certificateId: string, isOpen = true): LifecycleEvent {
  const rule = { ruleId: "pr-a", ruleName: "names", severity: "Critical" as const };
  return { type: "PolicyViolation", certificateId, ...rule, message: "shop.example is not allowed", isOpen };
}

describe("an event", () => {
  test("goes to the channels that are to be told of it, and of nothing else", async () => {
    const one = await newWebhook(plane, open);
    const other = await newWebhook(plane, open);
    const policy = await newPolicy(plane, [
      { notifierId: one, thresholdsDays: [], events: ["PolicyViolation"] },
      { notifierId: other, thresholdsDays: [30], events: ["RenewalFailed"] },
    ]);
    const certificateId = await newCertificate(plane, { agentId: agent.id, renewalPolicyId: policy });
    await raise(violation(certificateId));
    expect(await toldOf(certificateId)).toMatchObject([
      {
        notifierId: one,
        type: "PolicyViolation",
        status: "pending",
        severity: "Critical",
        effect: "trigger",
        subject: "site.example violates names",
        threadKey: certificateId,
        incidentKey: `${certificateId}/policy/pr-a`,
        createdAt: plane.time.now,
      },
    ]);
    await raise({ type: "RenewalFailed", certificateId, jobId: "job-a", error: "sign: no" });
    expect((await toldOf(certificateId)).map(({ notifierId }) => notifierId).sort()).toEqual(
      [one, other].sort(),
    );
  });

  test("is not told when what made it is rolled back", async () => {
    const notifierId = await newWebhook(plane, open);
    const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: [], events: ["PolicyViolation"] }]);
    const certificateId = await newCertificate(plane, { agentId: agent.id, renewalPolicyId: policy });
    const undone = plane.db.$transaction(async (tx) => {
      await raiseEvent(tx, violation(certificateId), plane.time.now);
      throw new Error("undone");
    });
    await expect(undone).rejects.toThrow("undone");
    expect(await toldOf(certificateId)).toEqual([]);
  });

  test("that nobody can be told of shows if something is wrong, and does not if nothing is", async () => {
    const policy = await newPolicy(plane, []);
    const certificateId = await newCertificate(plane, { agentId: agent.id, renewalPolicyId: policy });
    await raise(violation(certificateId, false));
    expect(await toldOf(certificateId)).toEqual([]);
    await raise(violation(certificateId));
    expect(await toldOf(certificateId)).toMatchObject([
      { status: "dead", notifierId: null, lastError: expect.stringContaining("no channel is configured") },
    ]);
  });

  test("for a disabled notifier stands there dead", async () => {
    const notifierId = await newWebhook(plane, open, false);
    const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: [], events: ["PolicyViolation"] }]);
    const certificateId = await newCertificate(plane, { agentId: agent.id, renewalPolicyId: policy });
    await raise(violation(certificateId));
    expect(await toldOf(certificateId)).toMatchObject([
      { status: "dead", lastError: `notifier ${notifierId} is disabled` },
    ]);
  });
});

describe("an e-mail goes to", () => {
  async function recipientFor(
    owned: { ownerId?: string; teamId?: string },
    defaultRecipient?: string,
  ): Promise<{ recipient: string; status: string }> {
    const notifierId = await mailer(defaultRecipient);
    const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: [], events: ["PolicyViolation"] }]);
    const certificateId = await newCertificate(plane, {
      agentId: agent.id,
      renewalPolicyId: policy,
      ...owned,
    });
    await raise(violation(certificateId));
    const [row] = await toldOf(certificateId);
    return { recipient: row?.recipient ?? "none", status: row?.status ?? "none" };
  }

  beforeAll(async () => {
    await plane.db.team.create({ data: { id: "t-mail", name: "mail", email: "team@example.com" } });
    await plane.db.team.create({ data: { id: "t-mute", name: "mute", email: "" } });
    const owner = { name: "owner", email: "owner@example.com", teamId: "t-mail" };
    await plane.db.owner.create({ data: { ...owner, id: "o-one" } });
    await plane.db.owner.create({ data: { ...owner, id: "o-gone", name: "gone", archivedAt: new Date() } });
  });

  test.each([
    ["the owner", { ownerId: "o-one", teamId: "t-mute" }, "owner@example.com"],
    ["the team where no owner is", { teamId: "t-mail" }, "team@example.com"],
    ["the channel's default where neither is", {}, "ops@example.com"],
    ["the channel's default where the team has no address", { teamId: "t-mute" }, "ops@example.com"],
  ])("%s", async (_whom, owned, recipient) => {
    expect(await recipientFor(owned)).toEqual({ recipient, status: "pending" });
  });

  test("the team where the owner is archived", async () => {
    const notifierId = await mailer();
    const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: [], events: ["PolicyViolation"] }]);
    const certificateId = await newCertificate(plane, { renewalPolicyId: policy });
    await plane.db.managedCertificate.update({
      where: { id: certificateId },
      data: { ownerId: "o-gone", teamId: "t-mail" },
    });
    await raise(violation(certificateId));
    expect(await toldOf(certificateId)).toMatchObject([{ recipient: "team@example.com" }]);
  });

  test("nobody, visibly, where there is no address at all", async () => {
    expect(await recipientFor({}, "")).toEqual({ recipient: "", status: "dead" });
  });
});

describe("incidents", () => {
  const routing = { routing_key: "R".repeat(32) };

  test("are closed where they were opened, whatever the policy says of good news", async () => {
    const pager = await newNotifier(plane, "pagerduty", routing);
    const chat = await newWebhook(plane, open);
    const policy = await newPolicy(
      plane,
      [pager, chat].map((notifierId) => ({ notifierId, thresholdsDays: [], events: ["RenewalFailed"] })),
    );
    const certificateId = await newCertificate(plane, { agentId: agent.id, renewalPolicyId: policy });
    await raise({ type: "RenewalFailed", certificateId, jobId: "job-a", error: "sign: no" });
    expect(await toldOf(certificateId)).toHaveLength(2);
    await issueVersion(plane, agent, certificateId);
    const closed = (await toldOf(certificateId)).filter(({ effect }) => effect === "resolve");
    expect(closed).toMatchObject([
      { notifierId: pager, type: "CertificateIssued", incidentKey: `${certificateId}/renewal` },
    ]);
    plane.time.now = new Date(plane.time.now.getTime() + 1_000);
    await issueVersion(plane, agent, certificateId);
    expect((await toldOf(certificateId)).filter(({ effect }) => effect === "resolve")).toHaveLength(1);
  });
});

describe("an agent that goes offline", () => {
  const offline = (agentId: string): LifecycleEvent => {
    return { type: "AgentOffline", agentId, lastSeenAt: plane.time.now, isBack: false };
  };
  const toldOfAgent = (agentId: string) => plane.db.notification.findMany({ where: { agentId } });

  test("is told to the channels of what it keeps alive, once each", async () => {
    const { id } = await newAgent(plane);
    const notifierId = await newWebhook(plane, open);
    const deaf = await newWebhook(plane, open);
    const channels = [
      { notifierId, thresholdsDays: [], events: ["AgentOffline"] },
      { notifierId: deaf, thresholdsDays: [30], events: [] },
    ];
    const policies = [await newPolicy(plane, channels), await newPolicy(plane, channels.slice(0, 1))];
    for (const renewalPolicyId of policies) await newCertificate(plane, { agentId: id, renewalPolicyId });
    await raise(offline(id));
    expect(await toldOfAgent(id)).toMatchObject([
      { notifierId, threadKey: id, incidentKey: `${id}/offline`, subject: "The agent test is offline" },
    ]);
  });

  test("is told to those of the default policy if it keeps nothing alive", async () => {
    const { id } = await newAgent(plane);
    await raise(offline(id));
    expect(await toldOfAgent(id)).toMatchObject([{ status: "dead", notifierId: null }]);
    const notifierId = await newWebhook(plane, open);
    const channel = { notifierId, thresholdsDays: [], events: ["AgentOffline"] };
    await plane.db.renewalPolicyChannel.create({
      data: { ...channel, renewalPolicyId: defaultRenewalPolicyId },
    });
    await raise({ type: "AgentOffline", agentId: id, lastSeenAt: null, isBack: true });
    expect(await toldOfAgent(id)).toMatchObject([{}, { notifierId, effect: "resolve", severity: "Info" }]);
  });
});

test("renewals that are held are told wherever a policy names that, once for each channel", async () => {
  const notifierId = await newWebhook(plane, open);
  const channel = { notifierId, thresholdsDays: [], events: ["RenewalsHeld"] };
  await newPolicy(plane, [channel]);
  await newPolicy(plane, [channel]);
  await raise({ type: "RenewalsHeld", operationId: "op-held", reason: "3 certificates are early." });
  expect(await plane.db.notification.findMany({ where: { threadKey: "op-held" } })).toMatchObject([
    {
      notifierId,
      status: "pending",
      effect: "trigger",
      message: expect.stringContaining("3 certificates are early."),
    },
  ]);
});

describe("the life of a certificate", () => {
  const events = ["CertificateIssued", "RenewalFailed", "DeploymentProven", "DeploymentFailed"];

  async function certificate(): Promise<{ id: string; targetId: string }> {
    const notifierId = await newWebhook(plane, open);
    const renewalPolicyId = await newPolicy(plane, [{ notifierId, thresholdsDays: [], events }]);
    const targetId = await newTarget(plane, agent);
    return { id: await newCertificate(plane, { targetIds: [targetId], renewalPolicyId }), targetId };
  }
  const typesOf = async (id: string) => (await toldOf(id)).map(({ type }) => type);

  test("tells of an issuance and a proof", async () => {
    const { id, targetId } = await certificate();
    const version = await issueVersion(plane, agent, id);
    expect(await toldOf(id)).toMatchObject([{ type: "CertificateIssued", versionId: version.id }]);
    await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
    const rows = await toldOf(id);
    expect(rows.map(({ type }) => type).sort()).toEqual(["CertificateIssued", "DeploymentProven"]);
    const proof = rows.find(({ type }) => type === "DeploymentProven");
    expect(proof?.incidentKey).toBe(`${id}/deployment/${targetId}`);
  });

  test("tells of a deployment that failed for good, not of one that is tried again", async () => {
    const { id } = await certificate();
    await issueVersion(plane, agent, id);
    const job = await claimOne(plane, agent);
    await report(plane, agent, job, failed(true));
    expect(await typesOf(id)).toEqual(["CertificateIssued"]);
    await plane.db.job.update({ where: { id: job.id }, data: { runAfter: plane.time.now } });
    await report(plane, agent, await claimOne(plane, agent), failed(false));
    expect((await typesOf(id)).sort()).toEqual(["CertificateIssued", "DeploymentFailed"]);
  });

  test("tells of a renewal that failed for good, in the words of what failed", async () => {
    const { id } = await certificate();
    const job = await openIssuance(plane, agent, id);
    await submitCsr(plane, agent, job);
    const row = await plane.db.job.findUniqueOrThrow({ where: { id: job.id } });
    const failure = { step: "sign", message: "the CA said no", failureClass: "Configuration" as const };
    await plane.db.$transaction((tx) => failAttempt(tx, agent.caller.actor, row, failure, plane.time.now));
    expect(await toldOf(id)).toMatchObject([
      { type: "RenewalFailed", message: expect.stringContaining("sign: the CA said no") },
    ]);
  });
});
