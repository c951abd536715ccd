import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newPolicy, newWebhook } from "../../test/channels.ts";
import {
  type ControlPlane,
  dayMs,
  issueVersion,
  newAgent,
  newCertificate,
  openControlPlane,
  type TestAgent,
} from "../../test/fixtures.ts";
import { raiseExpiryAlerts } from "./expiry-alerts.ts";

const start = new Date("2030-06-01T12:00:00Z");
const { signal } = new AbortController();

let plane: ControlPlane;
let agent: TestAgent;
let notifierId: string;
beforeAll(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
  notifierId = await newWebhook(plane, { url: "https://receiver.example", ca: undefined });
});
afterAll(() => plane[Symbol.asyncDispose]());

/** A certificate of 46 days, issued at the start, with its planned renewal on day 31. */
async function issued(renewalPolicyId: string): Promise<string> {
  plane.time.now = start;
  const id = await newCertificate(plane, { agentId: agent.id, renewalPolicyId });
  await issueVersion(plane, agent, id);
  return id;
}

/** Runs the hourly check after so many days; the thresholds that the certificate was told of so far. */
async function toldAfter(days: number, certificateId: string): Promise<(number | null)[]> {
  plane.time.now = new Date(start.getTime() + days * dayMs);
  await raiseExpiryAlerts(plane.db, plane.time.now, signal);
  const rows = await plane.db.notification.findMany({
    where: { certificateId },
    orderBy: { createdAt: "asc" },
  });
  return rows.filter(({ type }) => type === "CertificateExpiring").map(({ thresholdDays }) => thresholdDays);
}

const all = [30, 14, 7, 0];

describe("without auto-renewal", () => {
  test("each threshold is told once as it is crossed, only the tightest of several", async () => {
    const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: all, events: [] }], {
      autoRenew: false,
    });
    const id = await issued(policy);
    expect(await toldAfter(15, id)).toEqual([]);
    expect(await toldAfter(17, id)).toEqual([30]);
    expect(await toldAfter(17.5, id)).toEqual([30]);
    expect(await toldAfter(40, id)).toEqual([30, 7]);
    expect(await toldAfter(40.1, id)).toEqual([30, 7]);
    expect(await toldAfter(47, id)).toEqual([30, 7, 0]);
    expect(await toldAfter(90, id)).toEqual([30, 7, 0]);
  });

  test("a renewed certificate is told of again from the start", async () => {
    const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: all, events: [] }], {
      autoRenew: false,
    });
    const id = await issued(policy);
    expect(await toldAfter(40, id)).toEqual([7]);
    await issueVersion(plane, agent, id);
    expect(await toldAfter(41, id)).toEqual([7]);
    expect(await toldAfter(80, id)).toEqual([7, 7]);
  });
});

describe("with auto-renewal", () => {
  test("nothing is told while all is on plan, and the tightest threshold a day after the plan was missed", async () => {
    const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: all, events: [] }]);
    const id = await issued(policy);
    expect(await toldAfter(31, id)).toEqual([]);
    expect(await toldAfter(31.6, id)).toEqual([]);
    expect(await toldAfter(31.8, id)).toEqual([30]);
    expect(await toldAfter(33, id)).toEqual([30, 14]);
  });

  test("an end is told at once, however short the lifetime", async () => {
    const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: all, events: [] }]);
    plane.time.now = start;
    const settings = { agentId: agent.id, renewalPolicyId: policy, validitySeconds: 86_400 };
    const id = await newCertificate(plane, settings);
    await issueVersion(plane, agent, id);
    expect(await toldAfter(0.99, id)).toEqual([]);
    expect(await toldAfter(1, id)).toEqual([0]);
  });
});

test("each channel is told the thresholds that it is to be told", async () => {
  const other = await newWebhook(plane, { url: "https://other.example", ca: undefined });
  const channels = [
    { notifierId, thresholdsDays: [30], events: [] },
    { notifierId: other, thresholdsDays: [30, 7], events: [] },
  ];
  const id = await issued(await newPolicy(plane, channels, { autoRenew: false }));
  await toldAfter(17, id);
  await toldAfter(40, id);
  const rows = await plane.db.notification.findMany({
    where: { certificateId: id },
    orderBy: { createdAt: "asc" },
  });
  const told = (channel: string) =>
    rows.filter((row) => row.notifierId === channel).map(({ thresholdDays }) => thresholdDays);
  expect(told(notifierId)).toEqual([30]);
  expect(told(other)).toEqual([30, 7]);
});

test("a policy's own thresholds count", async () => {
  const channel = { notifierId, thresholdsDays: [20], events: [] };
  const id = await issued(await newPolicy(plane, [channel], { autoRenew: false, alertThresholdsDays: [20] }));
  expect(await toldAfter(17, id)).toEqual([]);
  expect(await toldAfter(27, id)).toEqual([20]);
});

test("a certificate without a version, and an archived one, are not expiring", async () => {
  const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: all, events: [] }], {
    autoRenew: false,
  });
  plane.time.now = start;
  const pending = await newCertificate(plane, { agentId: agent.id, renewalPolicyId: policy });
  const archived = await issued(policy);
  await plane.db.managedCertificate.update({ where: { id: archived }, data: { archivedAt: start } });
  expect(await toldAfter(60, pending)).toEqual([]);
  expect(await toldAfter(60, archived)).toEqual([]);
});

test("an alert that nobody can be told of shows, once, and is told when a channel comes", async () => {
  const policy = await newPolicy(plane, [], { autoRenew: false });
  const id = await issued(policy);
  await toldAfter(40, id);
  await toldAfter(40.1, id);
  const rows = await plane.db.notification.findMany({ where: { certificateId: id } });
  expect(rows).toMatchObject([
    { status: "dead", notifierId: null, lastError: expect.stringContaining("no channel") },
  ]);
  await plane.db.renewalPolicyChannel.create({
    data: { renewalPolicyId: policy, notifierId, thresholdsDays: all, events: [] },
  });
  expect(await toldAfter(40.2, id)).toEqual([7, 7]);
});

test("six replicas that look at the same moment tell once", async () => {
  const policy = await newPolicy(plane, [{ notifierId, thresholdsDays: all, events: [] }], {
    autoRenew: false,
  });
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) ids.push(await issued(policy));
  plane.time.now = new Date(start.getTime() + 40 * dayMs);
  await Promise.all(Array.from({ length: 6 }, () => raiseExpiryAlerts(plane.db, plane.time.now, signal)));
  const told = await plane.db.notification.groupBy({
    by: ["certificateId"],
    where: { certificateId: { in: ids } },
    _count: true,
  });
  expect(told.map(({ _count }) => _count)).toEqual(Array(ids.length).fill(1));
});

test("every certificate is told of, however many there are", async () => {
  await using crowd = await openControlPlane();
  const one = await newAgent(crowd);
  const id = await newCertificate(crowd, { agentId: one.id, renewalPolicyId: await newPolicy(crowd, []) });
  const { id: versionId, jobId } = await issueVersion(crowd, one, id);
  const copies = 1_100;
  // Copies of the one that was issued, each with a job and a version of its own.
  const copy = async (table: string, from: string, changes: string) => {
    await crowd.db.$executeRawUnsafe(
      `INSERT INTO ${table} SELECT (jsonb_populate_record(t, jsonb_build_object(${changes}))).*
       FROM ${table} t, generate_series(1, ${copies}) i WHERE t.id = $1`,
      from,
    );
  };
  await copy("managed_certificates", id, "'id', 'mc-copy-' || i, 'name', 'copy-' || i");
  const place = "'certificate_id', 'mc-copy-' || i";
  await copy("jobs", jobId, `'id', 'job-copy-' || i, ${place}, 'spki_sha256', null`);
  const own = "'job_id', 'job-copy-' || i, 'serial', 'copy-' || i, 'key_id', 'key-copy-' || i";
  await copy("certificate_versions", versionId, `'id', 'cv-copy-' || i, ${place}, ${own}`);
  const later = new Date(start.getTime() + 60 * dayMs);
  expect(await raiseExpiryAlerts(crowd.db, later, signal)).toBe(copies + 1);
  expect(await raiseExpiryAlerts(crowd.db, later, signal)).toBe(0);
  expect(await crowd.db.notification.count({ where: { thresholdDays: 0 } })).toBe(copies + 1);
});
