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
  openIssuance,
  operator,
  report,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { archiveCertificate } from "../certificates/declare.ts";
import { countDays } from "./days.ts";
import { countAgents, countAttention, countCertificates, countJobs } from "./summary.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeEach(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
});
afterEach(() => plane[Symbol.asyncDispose]());

const pass = (ms: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
};

describe("the summary", () => {
  test("counts every certificate, however many, by all that they are counted by", async () => {
    await plane.db.team.create({ data: { id: "t-web", name: "web" } });
    const issued = await newCertificate(plane, {
      agentId: agent.id,
      teamId: "t-web",
      environment: "production",
    });
    await issueVersion(plane, agent, issued);
    for (let i = 0; i < 60; i += 1) await newCertificate(plane, { keyAlgorithm: "RSA-2048" });
    await archiveCertificate(plane, operator, await newCertificate(plane, {}));
    const counts = await countCertificates(plane.db, plane.time.now);
    expect(counts).toEqual({
      total: 61,
      status: [
        { name: "Pending", count: 60 },
        { name: "Active", count: 1 },
        { name: "Archived", count: 1 },
      ],
      schedule: [{ name: "OnPlan", count: 1 }],
      expiry: [{ name: "60d", count: 1 }],
      issuer: [{ name: "iss-local", count: 61 }],
      team: [
        { name: "", count: 60 },
        { name: "t-web", count: 1 },
      ],
      environment: [
        { name: "", count: 60 },
        { name: "production", count: 1 },
      ],
      keyAlgorithm: [
        { name: "RSA-2048", count: 60 },
        { name: "ECDSA-P256", count: 1 },
      ],
    });
  });

  test.each([
    [0, "60d", "OnPlan"],
    [17, "30d", "OnPlan"],
    [31, "30d", "Due"],
    [33, "14d", "Overdue"],
    [40, "7d", "AtRisk"],
    [47, "expired", "AtRisk"],
  ])(
    "puts a certificate of 46 days after %i days into %s, and on its plan into %s",
    async (days, expiry, schedule) => {
      await issueVersion(plane, agent, await newCertificate(plane, { agentId: agent.id }));
      pass(days * dayMs);
      const counts = await countCertificates(plane.db, plane.time.now);
      expect(counts.expiry).toEqual([{ name: expiry, count: 1 }]);
      expect(counts.schedule).toEqual([{ name: schedule, count: 1 }]);
    },
  );

  test("counts open jobs, those that ended within a day, and why they failed", async () => {
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    await report(plane, agent, await openIssuance(plane, agent, certificateId), failed(false));
    await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
    expect(await countJobs(plane.db, plane.time.now)).toEqual({
      status: [
        { name: "AwaitingCSR", count: 1 },
        { name: "Failed", count: 1 },
      ],
      failureClass: [{ name: "Configuration", count: 1 }],
    });
    pass(dayMs + 1);
    expect(await countJobs(plane.db, plane.time.now)).toEqual({
      status: [{ name: "AwaitingCSR", count: 1 }],
      failureClass: [],
    });
    expect(await countAgents(plane.db)).toEqual([{ name: "Offline", count: 1 }]);
  });

  test("counts places that serve something else than what was deployed", async () => {
    const targetId = await newTarget(plane, agent);
    const version = await issueVersion(plane, agent, await newCertificate(plane, { targetIds: [targetId] }));
    await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
    expect(await countAttention(plane.db)).toMatchObject({ drifted: 0, awaitingApproval: 0, violations: [] });
    await plane.db.certificateTarget.updateMany({ data: { servedFingerprint: null } });
    expect(await countAttention(plane.db)).toMatchObject({ drifted: 1 });
  });
});

test("the days show what happened on each and what ends on it, and leave none out", async () => {
  const targetId = await newTarget(plane, agent);
  const certificateId = await newCertificate(plane, { targetIds: [targetId] });
  const version = await issueVersion(plane, agent, certificateId);
  await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
  const issuedOn = plane.time.now.toISOString().slice(0, 10);
  pass(2 * dayMs);
  const days = await countDays(plane.db, { back: 3, ahead: 60, now: plane.time.now });
  expect(days).toHaveLength(64);
  const nothing = {
    issued: 0,
    issuancesFailed: 0,
    deploymentsProven: 0,
    deploymentsFailed: 0,
    expiring: 0,
    renewalsPlanned: 0,
  };
  const on = (date: string) => days.find((day) => day.date === date);
  expect(on(issuedOn)).toEqual({ ...nothing, date: issuedOn, issued: 1, deploymentsProven: 1 });
  expect(on(version.notAfter.toISOString().slice(0, 10))).toMatchObject({ expiring: 1 });
  expect(on(version.renewAt.toISOString().slice(0, 10))).toMatchObject({ renewalsPlanned: 1 });
  const sum = (key: keyof typeof nothing) => days.reduce((total, day) => total + day[key], 0);
  expect([sum("issued"), sum("expiring"), sum("renewalsPlanned"), sum("issuancesFailed")]).toEqual([
    1, 1, 1, 0,
  ]);
});
