import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type ControlPlane,
  dayMs,
  hourMs,
  issueVersion,
  newAgent,
  newCertificate,
  openControlPlane,
} from "../../test/fixtures.ts";
import { defineIssuer, IssuerError, type RenewalInformation } from "../issuers/issuer.ts";
import { localCa } from "../issuers/local-ca.ts";
import { checkRenewals } from "../renewals/check.ts";
import { dueCertificates } from "../renewals/due.ts";
import { type PollDeps, pollRenewalInformation } from "./poll.ts";

let plane: ControlPlane;
let deps: PollDeps;
let id: string;
let answer: () => RenewalInformation | null;
let asked = 0;
const { signal } = new AbortController();

beforeEach(async () => {
  plane = await openControlPlane();
  const agent = await newAgent(plane);
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
