import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type ControlPlane,
  dayMs,
  hourMs,
  issueVersion,
  newAgent,
  newCertificate,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  submitCsr,
  type TestAgent,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { renewCanaries } from "../issuers/canary.ts";
import { defineIssuer, IssuerError, type Ordered, type Refusal } from "../issuers/issuer.ts";
import { localCa } from "../issuers/local-ca.ts";
import { archiveIssuer, createIssuer, updateIssuer } from "../issuers/manage.ts";
import { type StandbyWish, setStandby } from "../issuers/standby.ts";
import { findIssuer } from "../issuers/view.ts";
import { retryJob } from "../jobs/retry-by-hand.ts";
import { advanceJob } from "../jobs/sweep.ts";
import { findJob } from "../jobs/view.ts";
import type { FailureClass } from "../platform/failure.ts";
import { createRule } from "../policies/manage.ts";
import { issue } from "./issue.ts";

/** A CA that fails as each test tells it, and one that signs for it. */
let failure: FailureClass = "Network";
let ordered: Ordered | null = null;
let state: { finalizing: boolean } | null = null;
let refusal: Refusal | null = null;
const primary = defineIssuer({
  kind: "primary",
  title: "A CA that fails",
  config: z.strictObject({}),
  refuses: () => null,
  rootPem: () => "",
  test: async () => "fine",
  async issue(_request, _config, { order }) {
    if (state) await order.write(state);
    if (ordered) return ordered;
    throw new IssuerError("order", "the CA is away", failure);
  },
  async orderStatus() {
    throw new IssuerError("order", "the CA is away", failure);
  },
  isCommitted: (known) => known["finalizing"] === true,
});
const second = defineIssuer({
  kind: "second",
  title: "A CA that signs",
  config: z.strictObject({}),
  refuses: () => refusal,
  rootPem: () => "",
  test: async () => "fine",
  issue: (request, _config, context) => localCa.issue(request, {}, { ...context, issuerId: "iss-local" }),
});

let plane: ControlPlane;
let agent: TestAgent;
let primaryId: string;
let standbyId: string;
let count = 0;
const { signal } = new AbortController();

beforeAll(async () => {
  plane = await openControlPlane();
  plane.issuerKinds = new Map([...plane.issuerKinds, [primary.kind, primary], [second.kind, second]]);
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  agent = await newAgent(plane);
  [failure, ordered, state, refusal] = ["Network", null, null, null];
  count += 1;
  const make = (kind: string) =>
    createIssuer(plane, operator, { id: "", name: `${kind} ${count}`, kind, config: {}, enabled: true });
  [primaryId, standbyId] = [await make("primary"), await make("second")];
  await stand();
});

const stand = (wish: Partial<StandbyWish> = {}) =>
  setStandby(plane, operator, {
    id: primaryId,
    standbyIssuerId: standbyId,
    standbyAfter: 2,
    canaryCertificateId: "",
    canaryEveryDays: 0,
    ...wish,
  });
const jobOf = (id: string) => plane.db.job.findUniqueOrThrow({ where: { id }, include: { events: true } });
const saidOf = async (id: string) =>
  (await jobOf(id)).events.map(({ step, message }) => `${step}: ${message}`);
const pass = (ms: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
};

async function newJob(changes: object = {}) {
  const certificateId = await newCertificate(plane, { agentId: agent.id, issuerId: primaryId, ...changes });
  const job = await openIssuance(plane, agent, certificateId);
  await submitCsr(plane, agent, job);
  return { id: job.id, certificateId };
}

/** Makes as many attempts, each when it is due. */
async function attempt(id: string, times: number) {
  for (let round = 0; round < times; round += 1) {
    await advanceJob(plane.db, id, plane.time.now);
    await issue(plane, id, signal);
    pass(7 * hourMs);
  }
}

describe("an issuer that fails", () => {
  test("has its order go to the standby after as many failures as it says, at once and under the same key", async () => {
    const { id, certificateId } = await newJob();
    const before = await jobOf(id);
    await attempt(id, 1);
    expect(await jobOf(id)).toMatchObject({ status: "Pending", issuerId: null });
    await attempt(id, 1);
    const moved = await jobOf(id);
    expect(moved).toMatchObject({ status: "Running", issuerId: standbyId, attempts: 3, maxAttempts: 7 });
    expect(moved.keyId).toBe(before.keyId);
    await issue(plane, id, signal);
    expect(await jobOf(id)).toMatchObject({ status: "Completed" });
    const version = await plane.db.certificateVersion.findUniqueOrThrow({ where: { jobId: id } });
    expect(version).toMatchObject({ issuerId: standbyId, certificateId });
    const certificate = await plane.db.managedCertificate.findUniqueOrThrow({ where: { id: certificateId } });
    expect(certificate.issuerId).toBe(primaryId);
    expect(await findJob(plane.db, unrestricted, id)).toMatchObject({ issuerId: standbyId });
    const told = await plane.db.notification.findMany({ where: { certificateId, type: "StandbyUsed" } });
    const audited = await plane.db.auditEvent.count({
      where: { resourceId: certificateId, action: "standby_issuer_used" },
    });
    expect([told.length, audited]).toEqual([0, 1]);
  });

  test("is asked first again by the next renewal, and by a retry", async () => {
    const { id, certificateId } = await newJob();
    await attempt(id, 2);
    await issue(plane, id, signal);
    const next = await openIssuance(plane, agent, certificateId);
    expect(await jobOf(next.id)).toMatchObject({ issuerId: null });
    await plane.db.issuer.update({ where: { id: standbyId }, data: { enabled: false } });
    const other = await newJob();
    await plane.db.job.update({
      where: { id: other.id },
      data: { status: "Failed", issuerId: standbyId, issuerFailures: 1 },
    });
    await retryJob(plane, operator, other.id);
    expect(await jobOf(other.id)).toMatchObject({ issuerId: null, issuerFailures: 0 });
  });

  test.each<[FailureClass, boolean]>([
    ["Network", true],
    ["RateLimited", true],
    ["Refused", true],
    ["Internal", false],
    ["Configuration", false],
  ])("by %s has a standby: %s", async (failureClass, isMoved) => {
    failure = failureClass;
    await stand({ standbyAfter: 1 });
    const { id } = await newJob();
    await attempt(id, 1);
    expect((await jobOf(id)).issuerId).toBe(isMoved ? standbyId : null);
  });

  test("after more failures only, where it says more", async () => {
    await stand({ standbyAfter: 3 });
    const { id } = await newJob();
    await attempt(id, 2);
    expect((await jobOf(id)).issuerId).toBeNull();
    await attempt(id, 1);
    expect((await jobOf(id)).issuerId).toBe(standbyId);
  });

  test("keeps an order that it may have signed already", async () => {
    await stand({ standbyAfter: 1 });
    state = { finalizing: true };
    const finalizing = await newJob();
    await attempt(finalizing.id, 2);
    expect(await saidOf(finalizing.id)).toContainEqual(
      expect.stringMatching(/^standby_refused: .*signed already/),
    );
    state = { finalizing: false };
    ordered = { reference: "order-7", pollAfterMs: 1_000, message: "waits" };
    const waiting = await newJob();
    await attempt(waiting.id, 1);
    const { isCommitted: _, ...silent } = primary;
    const kinds = plane.issuerKinds;
    plane.issuerKinds = new Map([...kinds, ["primary", silent]]);
    await attempt(waiting.id, 1);
    expect((await jobOf(waiting.id)).issuerId).toBeNull();
    plane.issuerKinds = kinds;
    ordered = null;
    const begun = await newJob();
    await attempt(begun.id, 1);
    expect((await jobOf(begun.id)).issuerId).toBe(standbyId);
  });

  test("has no standby that is disabled, refuses the names, or that an enforced rule forbids", async () => {
    await stand({ standbyAfter: 1 });
    refusal = { field: "sans", description: "the CA does not sign such names" };
    const refused = await newJob();
    await attempt(refused.id, 1);
    expect(await saidOf(refused.id)).toContainEqual(expect.stringContaining("does not sign such names"));
    refusal = null;
    const disable = (enabled: boolean) =>
      updateIssuer(plane, operator, { id: standbyId, name: `second ${count}`, config: {}, enabled });
    await disable(false);
    const disabled = await newJob();
    await attempt(disabled.id, 1);
    expect(await saidOf(disabled.id)).toContainEqual(expect.stringContaining("is disabled"));
    await disable(true);
    const forbidden = await newJob();
    const rule = {
      id: "",
      name: "only the first",
      type: "AllowedIssuers",
      config: { allowed_issuer_ids: [primaryId] },
      severity: "Error" as const,
      mode: "enforce" as const,
      enabled: true,
    };
    await createRule(plane.db, operator, rule, plane.time.now);
    await attempt(forbidden.id, 1);
    expect(await saidOf(forbidden.id)).toContainEqual(expect.stringContaining("only the first"));
    expect((await jobOf(forbidden.id)).issuerId).toBeNull();
    await plane.db.policyRule.deleteMany({ where: { violations: { none: {} } } });
    await plane.db.policyRule.updateMany({ data: { enabled: false } });
  });
});

describe("a standby", () => {
  test("is another issuer that is there, and its canary one of its own certificates", async () => {
    const field = async (wish: Partial<StandbyWish>) => (await refusalOf(stand(wish))).fields;
    expect(await field({ standbyIssuerId: primaryId })).toEqual(["standby_issuer_id"]);
    expect(await field({ standbyIssuerId: "iss-none" })).toEqual(["standby_issuer_id"]);
    expect(await field({ canaryCertificateId: "mc-none" })).toEqual(["canary_certificate_id"]);
    const foreign = await newCertificate(plane, { agentId: agent.id, issuerId: primaryId });
    expect(await field({ canaryCertificateId: foreign })).toEqual(["canary_certificate_id"]);
    const own = await newCertificate(plane, { agentId: agent.id, issuerId: standbyId });
    expect(await field({ standbyIssuerId: "", canaryCertificateId: own })).toEqual(["canary_certificate_id"]);
    await stand({ canaryCertificateId: own });
    expect(await findIssuer(plane.db, primaryId)).toMatchObject({
      standbyIssuerId: standbyId,
      standbyAfter: 2,
      canaryCertificateId: own,
      canaryEveryDays: 7,
      canaryIssuedAt: null,
    });
    expect((await refusalOf(archiveIssuer(plane, operator, standbyId))).message).toContain(
      "1 issuers that it stands by for",
    );
  });

  test("signs its canary as often as is said, and shows when it last did and what is wrong with it", async () => {
    const canary = await newCertificate(plane, { agentId: agent.id, issuerId: standbyId });
    await stand({ canaryCertificateId: canary, canaryEveryDays: 3 });
    const check = () => renewCanaries(plane, plane.time.now, signal);
    const jobs = () =>
      plane.db.job.count({ where: { certificateId: canary, type: { in: ["Issuance", "Renewal"] } } });
    await check();
    await check();
    expect(await jobs()).toBe(1);
    await plane.db.job.updateMany({
      where: { certificateId: canary },
      data: { status: "Cancelled", completedAt: new Date(0) },
    });
    await issueVersion(plane, agent, canary);
    expect(await findIssuer(plane.db, primaryId)).toMatchObject({
      canaryIssuedAt: plane.time.now,
      canaryProblem: "",
    });
    const before = await jobs();
    pass(3 * dayMs - hourMs);
    await check();
    expect(await jobs()).toBe(before);
    pass(2 * hourMs);
    await check();
    expect(await jobs()).toBe(before + 1);
    await plane.db.issuer.update({ where: { id: standbyId }, data: { enabled: false } });
    expect((await findIssuer(plane.db, primaryId))?.canaryProblem).toBe("the standby is disabled");
  });
});
