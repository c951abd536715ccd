import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  dayMs,
  issueVersion,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { archiveCertificate } from "../certificates/declare.ts";
import { createRenewalPolicy } from "../renewal-policies/manage.ts";
import { type ForecastWish, forecastRenewals } from "./forecast.ts";

let plane: ControlPlane;
let started: Date;

beforeAll(async () => {
  plane = await openControlPlane();
  started = plane.time.now;
  const agent = await newAgent(plane);
  await plane.db.team.create({ data: { id: "t-web", name: "web" } });
  const manual = { id: "rp-manual", name: "manual", renewalWindowDays: 30, autoRenew: false };
  await createRenewalPolicy(plane.db, operator, { ...manual, alertThresholdsDays: [], channels: [] });
  const declared = [
    { teamId: "t-web" },
    { validitySeconds: 90 * 86_400, environment: "production" },
    { renewalPolicyId: "rp-manual" },
    { teamId: "t-web" },
  ];
  const ids: string[] = [];
  for (const wanted of declared) {
    const id = await newCertificate(plane, { agentId: agent.id, ...wanted });
    await issueVersion(plane, agent, id);
    ids.push(id);
  }
  await newCertificate(plane, { agentId: agent.id });
  await archiveCertificate(plane, operator, ids[3] ?? "");
});
afterAll(() => plane[Symbol.asyncDispose]());

async function forecast(wish: Partial<ForecastWish> = {}, now = plane.time.now, grants = unrestricted) {
  const wanted = { days: 98, grouping: "" as const, lifetimeDays: 0, ...wish };
  return forecastRenewals(plane.db, grants, wanted, now);
}
/** Days after the issuance, to how many. */
const days = (counts: readonly { date: string | null; count: number }[]) =>
  Object.fromEntries(
    counts.map(({ date, count }) => [
      date === null
        ? "overdue"
        : Math.round((Date.parse(date) - Date.parse(started.toISOString().slice(0, 10))) / dayMs),
      count,
    ]),
  );

describe("the forecast of renewals", () => {
  test("has the plan of every certificate that is renewed by itself, again and again, and what ends", async () => {
    const { planned, expiring, unplanned } = await forecast();
    // 46 days are renewed after two thirds, 30⅔ days; 90 days after 60.
    expect(days(planned)).toEqual({ 31: 1, 60: 1, 61: 1, 92: 1 });
    expect(days(expiring)).toEqual({ 46: 2, 90: 1 });
    expect(unplanned).toBe(1);
  });

  test("keeps to the days that it is asked for", async () => {
    const { planned, expiring } = await forecast({ days: 61 });
    expect(days(planned)).toEqual({ 31: 1, 60: 1 });
    expect(days(expiring)).toEqual({ 46: 2 });
  });

  test("shows what is overdue apart, and what follows on it", async () => {
    const now = new Date(started.getTime() + 40 * dayMs);
    const { planned } = await forecast({ days: 40 }, now);
    expect(days(planned)).toEqual({ overdue: 1, 60: 1, 71: 1 });
  });

  test("recomputes the plan for another lifetime, as if it had been so all along", async () => {
    const { planned, expiring } = await forecast({ days: 12, lifetimeDays: 6 });
    expect(days(planned)).toEqual({ 4: 2, 8: 2 });
    expect(days(expiring)).toEqual({});
    const later = await forecast({ days: 6, lifetimeDays: 6 }, new Date(started.getTime() + 5 * dayMs));
    expect(days(later.planned)).toEqual({ 8: 2 });
    const long = await forecast({ days: 200, lifetimeDays: 100 }, new Date(started.getTime() + dayMs));
    expect(days(long.planned)).toEqual({ 70: 2, 140: 2 });
  });

  test("counts by issuer, team or environment", async () => {
    const by = async (grouping: ForecastWish["grouping"]) =>
      (await forecast({ grouping, days: 61 })).planned.map(({ value, name, count }) => [value, name, count]);
    expect(await by("team")).toEqual([
      ["t-web", "web", 1],
      ["", "", 1],
    ]);
    expect(await by("environment")).toEqual([
      ["", "", 1],
      ["production", "production", 1],
    ]);
    expect(await by("issuer")).toEqual([
      ["iss-local", "Local CA", 1],
      ["iss-local", "Local CA", 1],
    ]);
  });

  test("has what a CA wants when the CA wants it, and counts that", async () => {
    const [version] = await plane.db.certificateVersion.findMany({ orderBy: { notAfter: "desc" }, take: 1 });
    const at = (day: number) => new Date(started.getTime() + day * dayMs);
    const wanted = (start: Date | null, end: Date | null) =>
      plane.db.certificateVersion.update({
        where: { id: version?.id ?? "" },
        data: { ariStart: start, ariRenewAt: start, ariEnd: end },
      });
    await wanted(at(50), at(52));
    const { planned, whenCaWants } = await forecast({ days: 61 });
    expect(days(planned)).toEqual({ 31: 1, 50: 1 });
    expect(whenCaWants).toBe(1);
    expect((await forecast({ lifetimeDays: 47 })).whenCaWants).toBe(0);
    await wanted(null, null);
    expect((await forecast({ days: 61 })).whenCaWants).toBe(0);
  });

  test("counts what the caller reaches", async () => {
    const { planned, unplanned } = await forecast({}, plane.time.now, { teamIds: ["t-web"], issuerIds: [] });
    expect(days(planned)).toEqual({ 31: 1, 61: 1, 92: 1 });
    expect(unplanned).toBe(0);
  });
});
