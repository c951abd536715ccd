import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type ControlPlane,
  claimOne,
  dayMs,
  hourMs,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  newTarget,
  openControlPlane,
  operator,
  submitCsr,
  type TestAgent,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { issue } from "../certificates/issue.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { explainCertificate } from "../explain/explain.ts";
import { defineIssuer, IssuerError, type RenewalInformation } from "../issuers/issuer.ts";
import { localCa } from "../issuers/local-ca.ts";
import { checkRenewals } from "../renewals/check.ts";
import { dueCertificates } from "../renewals/due.ts";
import { type PollDeps, pollRenewalInformation } from "./poll.ts";

let plane: ControlPlane;
let deps: PollDeps;
let agent: TestAgent;
let id: string;
let answer: () => RenewalInformation | null;
let asked = 0;
const { signal } = new AbortController();

beforeEach(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
  id = await newCertificate(plane, { agentId: agent.id });
  await issueVersion(plane, agent, id);
  asked = 0;
  // The local CA, with a word on renewals.
  const telling = {
    ...localCa,
    async renewalInfo() {
      asked += 1;
      return answer();
    },
  };
  plane.issuerKinds = new Map([["local-ca", telling]]);
  const renewing = { ...plane, jitterMs: hourMs, early: { share: 0, atLeast: 0 } };
  deps = { ...plane, renew: (now) => checkRenewals(renewing, now, signal) };
});
afterEach(() => plane[Symbol.asyncDispose]());

const poll = (random = 0.5) => pollRenewalInformation(deps, plane.time.now, signal, () => random);
const pass = (ms: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
};
const inMs = (ms: number) => new Date(plane.time.now.getTime() + ms);
const version = () => plane.db.certificateVersion.findFirstOrThrow({ where: { certificateId: id } });
const openJobs = () => plane.db.job.findMany({ where: { certificateId: id, status: "AwaitingCSR" } });
const window = (from: number, to: number, retryAfterMs: number | null = null) => {
  const said = { start: inMs(from), end: inMs(to), explanationUrl: "https://ca.test/why", retryAfterMs };
  answer = () => said;
  return said;
};

describe("a CA's word on renewals", () => {
  test("is one instant of its window, which stays while the window does", async () => {
    const { start, end } = window(10 * dayMs, 12 * dayMs);
    await poll(0.25);
    const first = { ariStart: start, ariEnd: end, ariRenewAt: inMs(10.5 * dayMs), ariError: "" };
    expect(await version()).toMatchObject({ ...first, ariExplanationUrl: "https://ca.test/why" });
    pass(dayMs);
    await poll(0.75);
    expect(asked).toBe(2);
    expect(await version()).toMatchObject(first);
    window(2 * dayMs, 4 * dayMs);
    pass(dayMs);
    await poll(0.75);
    expect((await version()).ariRenewAt?.getTime()).toBe(plane.time.now.getTime() + 2.5 * dayMs);
    const events = await plane.db.auditEvent.findMany({ where: { action: "renewal_information_changed" } });
    expect(events).toHaveLength(2);
  });

  test("holds against the policy, later and earlier", async () => {
    window(39 * dayMs, 40 * dayMs);
    await poll(0);
    expect(await dueCertificates(plane.db, inMs(38 * dayMs))).toEqual([]);
    expect(await dueCertificates(plane.db, inMs(39 * dayMs))).toMatchObject([{ id, isEarly: false }]);
    pass(dayMs);
    window(2 * dayMs, 4 * dayMs);
    await poll(0);
    expect(await dueCertificates(plane.db, inMs(dayMs))).toEqual([]);
    // Earlier than planned at issuance: bounded, until the CA's window ends.
    expect(await dueCertificates(plane.db, inMs(3 * dayMs))).toMatchObject([{ id, isEarly: true }]);
    expect(await dueCertificates(plane.db, inMs(4 * dayMs))).toMatchObject([
      { id, isEarly: false, isPastWindow: true },
    ]);
  });

  test("that it should have been renewed before now opens a renewal at once", async () => {
    window(-2 * dayMs, -dayMs);
    expect(await poll()).toMatch("1 certificates asked about, 1 wanted renewed now");
    expect(await openJobs()).toMatchObject([{ type: "Renewal", isEarly: false, runAfter: plane.time.now }]);
  });

  test("is asked for again when the CA says, within a minute and a day", async () => {
    for (const [retryAfterMs, waitMs] of [
      [1_000, 60_000],
      [7_200_000, 7_200_000],
      [9 * dayMs, dayMs],
      [null, 6 * hourMs],
    ] as const) {
      window(30 * dayMs, 31 * dayMs, retryAfterMs);
      await poll();
      expect((await version()).ariPollAt).toEqual(inMs(waitMs));
      const before = asked;
      pass(waitMs - 1);
      await poll();
      expect(asked).toBe(before);
      pass(1);
    }
  });

  test("that does not come leaves the policy to rule, and says why", async () => {
    window(39 * dayMs, 40 * dayMs);
    await poll();
    pass(6 * hourMs);
    answer = () => {
      throw new IssuerError("renewal_info", "the CA is down", "Network", 1_000);
    };
    expect(await poll()).toMatch("1 not answered");
    expect(await version()).toMatchObject({ ariRenewAt: null, ariEnd: null, ariError: "the CA is down" });
    expect(await dueCertificates(plane.db, inMs(35 * dayMs))).toMatchObject([{ id }]);
    answer = () => null;
    pass(dayMs);
    await poll();
    expect(await version()).toMatchObject({ ariRenewAt: null, ariError: "", ariPollAt: inMs(dayMs) });
  });

  test("counts for each agent's version, and the earliest is when all are renewed", async () => {
    const agents = [await newAgent(plane), await newAgent(plane)];
    const targetIds = await Promise.all(agents.map((agent) => newTarget(plane, agent)));
    const both = await newCertificate(plane, { targetIds });
    await renewCertificate(plane, operator, both);
    for (const [index, agent] of agents.entries()) {
      const job = await claimOne(plane, agent);
      await submitCsr(plane, agent, job, newCsr(["site.example"]));
      const signedAt = inMs(index * hourMs);
      await issue({ ...plane, clock: () => signedAt }, job.id, signal);
    }
    const versions = await plane.db.certificateVersion.findMany({
      where: { certificateId: both },
      orderBy: { notAfter: "asc" },
    });
    const shown = await plane.db.currentVersion.findUniqueOrThrow({ where: { certificateId: both } });
    expect(shown.versionId).toBe(versions[0]?.id);
    // The CA is asked about the first version of the other certificate, and then about these.
    window(20 * dayMs, 21 * dayMs);
    await poll(0);
    expect(asked).toBe(3);
    // It wants the one that is not shown renewed now: that agent's key became known.
    await plane.db.certificateVersion.update({
      where: { id: versions[1]?.id ?? "" },
      data: { ariPollAt: plane.time.now },
    });
    const { start, end } = window(-2 * dayMs, -dayMs);
    expect(await poll(0)).toMatch("1 certificates asked about, 1 wanted renewed now");
    expect(await plane.db.currentVersion.findUniqueOrThrow({ where: { certificateId: both } })).toMatchObject(
      {
        ...{ versionId: versions[0]?.id, ariRenewAt: start, ariEnd: end },
      },
    );
    expect(
      await plane.db.job.count({ where: { certificateId: both, type: "Renewal", status: "AwaitingCSR" } }),
    ).toBe(2);
    const deps = { ...plane, checkEveryMs: 60_000 };
    const { plan } = await explainCertificate(deps, unrestricted, both);
    expect(plan).toMatchObject({ renewAt: start, said: { id: versions[1]?.id, ariAskedAt: plane.time.now } });
  });

  test("is asked about what the next renewal replaces, not about what an agent had before", async () => {
    answer = () => null;
    pass(1_000);
    await issueVersion(plane, agent, id);
    expect(await poll()).toMatch("1 certificates asked about");
    const [older, newer] = await plane.db.certificateVersion.findMany({ orderBy: { createdAt: "asc" } });
    expect([older?.ariAskedAt, newer?.ariAskedAt]).toEqual([null, plane.time.now]);
    // Nothing of it is to be on that agent any more.
    const other = await newAgent(plane);
    await plane.db.managedCertificate.update({ where: { id }, data: { agentId: other.id } });
    pass(dayMs);
    expect(await poll()).toMatch("0 certificates asked about");
  });

  test("is not asked of issuers that have none, nor about what is archived", async () => {
    const known = plane.issuerKinds;
    plane.issuerKinds = new Map([["local-ca", localCa]]);
    const none = defineIssuer({ ...localCa, kind: "none", config: z.strictObject({}) });
    deps = { ...deps, issuerKinds: new Map([...plane.issuerKinds, [none.kind, none]]) };
    expect(await poll()).toMatch("0 certificates asked about");
    plane.issuerKinds = known;
    deps = { ...deps, issuerKinds: known };
    await plane.db.managedCertificate.update({ where: { id }, data: { archivedAt: plane.time.now } });
    expect(await poll()).toMatch("0 certificates asked about");
    await plane.db.managedCertificate.update({ where: { id }, data: { archivedAt: null } });
    answer = () => null;
    expect(await poll()).toMatch("1 certificates asked about");
  });
});
