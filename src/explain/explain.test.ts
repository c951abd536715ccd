import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  dayMs,
  failed,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  operator,
  refusalOf,
  report,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { archiveCertificate } from "../certificates/declare.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { raiseExpiryAlerts } from "../notifications/expiry-alerts.ts";
import { createNotifier } from "../notifiers/manage.ts";
import { createRule } from "../policies/manage.ts";
import { updateRenewalPolicy } from "../renewal-policies/manage.ts";
import { checkRenewals } from "../renewals/check.ts";
import { explainCertificate } from "./explain.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeEach(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
});
afterEach(() => plane[Symbol.asyncDispose]());

const { signal } = new AbortController();
const explain = (id: string, grants = unrestricted) =>
  explainCertificate({ ...plane, checkEveryMs: 60_000 }, grants, id);
const pass = (ms: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
};
const policy = (changes: object) =>
  updateRenewalPolicy(plane.db, operator, {
    id: "rp-default",
    name: "Default",
    renewalWindowDays: 30,
    autoRenew: true,
    maxRetries: 4,
    alertThresholdsDays: [30, 7],
    channels: [],
    ...changes,
  });

describe("the explanation of a certificate", () => {
  test("says from what its planned renewal was reckoned, and what is next", async () => {
    await policy({ renewalWindowDays: 10 });
    const id = await newCertificate(plane, { agentId: agent.id });
    expect(await explain(id)).toMatchObject({
      sentence: "Nothing was issued yet",
      next: { kind: "Nothing", text: expect.stringContaining("renew it to have it issued") },
      plan: null,
      alerts: [],
    });
    const version = await issueVersion(plane, agent, id);
    const { plan, next, sentence } = await explain(id);
    expect(plan).toMatchObject({
      renewAt: new Date(version.notAfter.getTime() - 10 * dayMs),
      windowDays: 10,
      isCapped: false,
      policy: { name: "Default" },
    });
    expect(next).toMatchObject({ kind: "Renewal", at: plan?.renewAt });
    expect(sentence).toBe("Renews in 35 d");
    await policy({ renewalWindowDays: 30 });
    const capped = (await explain(id)).plan;
    expect(capped).toMatchObject({ isCapped: true, plannedAtIssuance: plan?.renewAt });
    expect(capped?.text).toContain("never before two thirds");
  });

  test("says what the open job waits for, when it is tried again, and how many attempts are left", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, id);
    await renewCertificate(plane, operator, id);
    const waiting = await explain(id);
    expect(waiting.next.text).toBe("Its renewal waits for agent test, which is offline");
    await report(plane, agent, await claimOne(plane, agent), failed(true));
    const { next, runway } = await explain(id);
    expect(next).toMatchObject({ kind: "Attempt", text: expect.stringContaining("attempt 2 of 5") });
    expect(runway).toMatchObject({ ofOpenJob: 4, failureClass: "Target", firstAt: next.at });
    expect(runway.text).toMatch(/^\d+ attempts fit before its end, 4 of them in the open job$/);
  });

  test("says that a failed renewal is followed by a pause", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, id);
    pass(40 * dayMs);
    await checkRenewals({ ...plane, jitterMs: 0, early: { share: 1, atLeast: 9 } }, plane.time.now, signal);
    await report(plane, agent, await claimOne(plane, agent), failed(false));
    const { next } = await explain(id);
    expect(next).toMatchObject({ kind: "Renewal", at: new Date(plane.time.now.getTime() + dayMs) });
    expect(next.text).toContain("after the pause that follows a failed one");
  });

  test.each([
    ["archived", "It is archived", async (id: string) => archiveCertificate(plane, operator, id)],
    ["of a disabled issuer", "is disabled", () => plane.db.issuer.updateMany({ data: { enabled: false } })],
    ["left to people", "leaves the renewal to people", () => policy({ autoRenew: false })],
    [
      "without an agent",
      "No agent makes its key",
      () => plane.db.managedCertificate.updateMany({ data: { agentId: null } }),
    ],
  ])("says that nothing happens to one that is %s", async (_what, words, change) => {
    const id = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, id);
    await change(id);
    expect((await explain(id)).next).toMatchObject({ kind: "Nothing", text: expect.stringContaining(words) });
  });

  test("says of a revoked one what follows, by the reason", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    const version = await issueVersion(plane, agent, id);
    const revoke = (revocationReason: string) =>
      plane.db.certificateVersion.update({
        where: { id: version.id },
        data: { revokedAt: plane.time.now, revocationReason },
      });
    await revoke("CessationOfOperation");
    expect(await explain(id)).toMatchObject({
      sentence: "Revoked: nobody may trust it any more",
      next: { kind: "Nothing", text: expect.stringContaining("archive it") },
    });
    await plane.db.certificateVersion.update({
      where: { id: version.id },
      data: { revokedAt: null, revocationReason: "" },
    });
    await revoke("KeyCompromise");
    expect((await explain(id)).next).toMatchObject({ kind: "Renewal", at: plane.time.now });
  });

  test("says that an early renewal waits for a person's yes", async () => {
    await policy({ renewalWindowDays: 1 });
    const id = await newCertificate(plane, { agentId: agent.id, validitySeconds: 90 * 86_400 });
    await issueVersion(plane, agent, id);
    pass(65 * dayMs);
    await policy({ renewalWindowDays: 30 });
    await checkRenewals({ ...plane, jitterMs: 0, early: { share: 0, atLeast: 0 } }, plane.time.now, signal);
    expect((await explain(id)).next).toMatchObject({
      kind: "Approval",
      operationId: expect.stringMatching(/^op-/),
    });
  });

  test("shows what each target serves beside what it is to serve", async () => {
    const target = await newTarget(plane, agent);
    const id = await newCertificate(plane, { targetIds: [target] });
    const first = await issueVersion(plane, agent, id);
    await report(plane, agent, await claimOne(plane, agent), succeeded(first.fingerprintSha256));
    expect((await explain(id)).sentence).toContain("its target proven");
    pass(1_000);
    await renewCertificate(plane, operator, id);
    await plane.db.job.updateMany({ where: { status: "AwaitingCSR" }, data: { status: "Cancelled" } });
    pass(1_000);
    await issueVersion(plane, agent, id);
    const { targets, sentence } = await explain(id);
    expect(targets).toMatchObject([{ id: target, expectedNumber: 2, servedNumber: 1 }]);
    expect(sentence).toContain(`${target} still serves v1`);
  });

  test("holds the certificate to every rule in force", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    const rule = (name: string, days: number) =>
      createRule(
        plane.db,
        operator,
        {
          id: "",
          name,
          type: "CertificateLifetime",
          config: { max_days: days },
          severity: "Warning",
          mode: "audit",
          enabled: true,
        },
        plane.time.now,
      );
    await rule("short", 10);
    await rule("long", 90);
    const { rules, sentence } = await explain(id);
    expect(rules.map(({ name, message }) => [name, message === ""]).sort()).toEqual([
      ["long", true],
      ["short", false],
    ]);
    expect(sentence).toContain("violates 1 policy rule");
  });

  test("says who is told at which threshold, when it was told, and why nobody would be", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    const version = await issueVersion(plane, agent, id);
    await policy({});
    expect((await explain(id)).alerts).toMatchObject([{ through: null }, { through: null }]);
    const notifier = await createNotifier(plane, operator, {
      id: "",
      name: "mail",
      kind: "webhook",
      config: { url: "https://localhost:9/hook", secret: "0123456789abcdef" },
      enabled: true,
      defaultRecipient: "",
    });
    await policy({
      autoRenew: false,
      channels: [{ notifierId: notifier, thresholdsDays: [30], events: ["RenewalFailed"] }],
    });
    pass(20 * dayMs);
    await raiseExpiryAlerts(plane.db, plane.time.now, signal);
    const { alerts, channels } = await explain(id);
    expect(alerts).toMatchObject([
      {
        thresholdDays: 30,
        at: new Date(version.notAfter.getTime() - 30 * dayMs),
        through: { name: "mail", kind: "webhook", obstacle: "" },
        toldAt: plane.time.now,
      },
      { thresholdDays: 7, through: null, toldAt: null },
    ]);
    expect(channels).toMatchObject([{ events: ["RenewalFailed"] }]);
    await plane.db.notifier.updateMany({ data: { enabled: false } });
    expect((await explain(id)).alerts[0]?.through?.obstacle).toContain("is disabled");
    await policy({ channels: [{ notifierId: notifier, thresholdsDays: [30], events: [] }] });
    const late = (await explain(id)).alerts[0]?.at.getTime() ?? 0;
    expect(late).toBeGreaterThan(version.notAfter.getTime() - 30 * dayMs);
    await policy({ alertThresholdsDays: [40, 35, 7], renewalWindowDays: 10 });
    const overtaken = (await explain(id)).alerts.map((alert) => [alert.thresholdDays, alert.isOvertaken]);
    expect(overtaken).toEqual([
      [40, true],
      [35, false],
      [7, false],
    ]);
  });

  test("is not given of a certificate that the key does not reach", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    const grants = { teamIds: ["t-other"], issuerIds: [] };
    expect(await refusalOf(explain(id, grants))).toMatchObject({ code: "NotFound" });
  });
});
