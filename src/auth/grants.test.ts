import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  allCertificates,
  allJobs,
  type ControlPlane,
  declaration,
  firstPage,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  type TestAgent,
} from "../../test/fixtures.ts";
import type { Actor } from "../audit/record.ts";
import {
  archiveCertificate,
  createCertificate,
  restoreCertificate,
  updateCertificate,
} from "../certificates/declare.ts";
import { deployCertificate } from "../certificates/deploy.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { findCertificate, listCertificates } from "../certificates/view.ts";
import { findJob, listJobs } from "../jobs/view.ts";
import { markAllRead, markRead, requeue } from "../notifications/manage.ts";
import { raiseEvent } from "../notifications/raise.ts";
import { findNotification, listNotifications } from "../notifications/view.ts";
import { judge } from "../policies/judge.ts";
import { createRule } from "../policies/manage.ts";
import { listViolations } from "../policies/view.ts";
import { covers, type Grants, unrestricted } from "./grants.ts";

let plane: ControlPlane;
let agent: TestAgent;
let own: string;
let foreign: string;
let foreignJob: string;

const restrictions: [string, Grants][] = [
  ["an issuer", { teamIds: [], issuerIds: ["iss-own"] }],
  ["a team", { teamIds: ["t-own"], issuerIds: [] }],
  ["a team and an issuer", { teamIds: ["t-own"], issuerIds: ["iss-own"] }],
];

beforeAll(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
  for (const id of ["iss-own", "iss-foreign"])
    await plane.db.issuer.create({ data: { id, name: id, kind: "local-ca", config: {} } });
  for (const id of ["t-own", "t-foreign"]) await plane.db.team.create({ data: { id, name: id } });
  own = await newCertificate(plane, { agentId: agent.id, issuerId: "iss-own", teamId: "t-own" });
  foreign = await newCertificate(plane, { agentId: agent.id, issuerId: "iss-foreign", teamId: "t-foreign" });
  foreignJob = (await openIssuance(plane, agent, foreign)).id;
});
afterAll(() => plane[Symbol.asyncDispose]());

describe.each(restrictions)("what a key that is restricted to %s does not reach", (_what, grants) => {
  const restricted: Actor = { ...operator, grants };

  test("is left out of lists and of their totals", async () => {
    const { now } = plane.time;
    const all = await listCertificates(plane.db, unrestricted, firstPage, allCertificates, now);
    expect(all.rows.map(({ id }) => id)).toContain(foreign);
    const some = await listCertificates(plane.db, grants, firstPage, allCertificates, now);
    expect(some.total).toBe(all.total - 1);
    expect(some.rows.map(({ id }) => id)).not.toContain(foreign);
    expect((await listJobs(plane.db, unrestricted, firstPage, allJobs)).total).toBe(1);
    expect(await listJobs(plane.db, grants, firstPage, allJobs)).toMatchObject({ total: 0, rows: [] });
  });

  test("is not found by its id", async () => {
    expect(await findCertificate(plane.db, grants, foreign, plane.time.now)).toBeNull();
    expect(await findCertificate(plane.db, grants, own, plane.time.now)).toMatchObject({ id: own });
    expect(await findJob(plane.db, grants, foreignJob)).toBeNull();
    expect(await findJob(plane.db, unrestricted, foreignJob)).toMatchObject({ id: foreignJob });
  });

  test("is changed as little as what does not exist", async () => {
    const wanted = declaration({ issuerId: "iss-own", teamId: "t-own", agentId: agent.id });
    const attempts = [
      () => updateCertificate(plane, restricted, foreign, wanted),
      () => archiveCertificate(plane, restricted, foreign),
      () => renewCertificate(plane, restricted, foreign),
      () => deployCertificate(plane, restricted, { id: foreign, versionId: "", targetIds: [] }),
    ];
    for (const attempt of attempts) {
      expect(await refusalOf(attempt())).toMatchObject({
        code: "NotFound",
        message: `certificate ${foreign} does not exist`,
      });
    }
    expect(await refusalOf(renewCertificate(plane, restricted, "mc-none"))).toMatchObject({
      code: "NotFound",
    });
  });

  test("gets nothing from it either", async () => {
    const wanted = declaration({ issuerId: "iss-foreign", teamId: "t-foreign", agentId: agent.id });
    for (const attempt of [
      () => createCertificate(plane, restricted, "", wanted),
      () => updateCertificate(plane, restricted, own, wanted),
    ]) {
      expect(await refusalOf(attempt())).toMatchObject({
        code: "PermissionDenied",
        message: expect.stringMatching(
          /^this key is restricted to the (teams t-own: set team_id|issuers iss-own: set issuer_id) to one/,
        ),
      });
    }
  });

  test("is not driven off its targets", async () => {
    const wanted = declaration({ issuerId: "iss-own", teamId: "t-own" });
    const [taken, free] = [await newTarget(plane, agent), await newTarget(plane, agent)];
    const mine = await createCertificate(plane, restricted, "", { ...wanted, targetIds: [taken, free] });
    await archiveCertificate(plane, restricted, mine);
    const theirs = { targetIds: [taken], issuerId: "iss-foreign" };
    const other = await newCertificate(plane, theirs);
    for (const attempt of [
      () => createCertificate(plane, restricted, "", { ...wanted, name: "another", targetIds: [taken] }),
      () => updateCertificate(plane, restricted, own, { ...wanted, targetIds: [free, taken] }),
      () => restoreCertificate(plane, restricted, mine),
    ]) {
      expect(await refusalOf(attempt())).toMatchObject({
        code: "PermissionDenied",
        message: `target ${taken} serves a certificate that this key does not reach`,
      });
    }
    await expect(restoreCertificate(plane, operator, mine)).resolves.toBeUndefined();
    const kept = { ...wanted, targetIds: [taken, free] };
    await expect(updateCertificate(plane, restricted, mine, kept)).resolves.toBeUndefined();
    for (const id of [mine, other]) await archiveCertificate(plane, operator, id);
  });

  test("keeps it from nothing that is its own", async () => {
    const wanted = declaration({ issuerId: "iss-own", teamId: "t-own", agentId: agent.id });
    await expect(createCertificate(plane, restricted, "", wanted)).resolves.toMatch(/^mc-/);
  });
});

describe("notifications and violations", () => {
  const restricted: Actor = { ...operator, grants: { teamIds: ["t-own"], issuerIds: [] } };
  const every = { statuses: [], types: [], notifierId: "", channel: "", certificateId: "", agentId: "" };
  const anyNotification = { ...every, thread: "", group: "", folded: false, q: "" };
  const anyViolation = { ruleId: "", certificateId: "", severities: [], q: "" };
  let ids: Record<"own" | "foreign" | "estate", string>;

  beforeAll(async () => {
    const wanted = { id: "", name: "environments", severity: "Error", mode: "audit", enabled: true };
    const rule = { ...wanted, type: "AllowedEnvironments", config: { allowed: ["production"] } };
    await createRule(plane.db, operator, rule, plane.time.now);
    await plane.db.$transaction(async (tx) => {
      for (const id of [own, foreign]) await judge(tx, id, plane.time.now);
      const lost = { type: "AgentOffline", agentId: agent.id, lastSeenAt: null, isBack: false } as const;
      await raiseEvent(tx, lost, plane.time.now);
    });
    const rows = await plane.db.notification.findMany();
    const of = (certificateId: string | null) =>
      rows.find((row) => row.certificateId === certificateId)?.id ?? "";
    ids = { own: of(own), foreign: of(foreign), estate: of(null) };
  });

  test("are shown of the certificates that a key reaches, and nothing of the whole estate", async () => {
    const { grants } = restricted;
    const listed = await listNotifications(plane.db, grants, firstPage, anyNotification);
    expect(listed).toMatchObject({ total: 1, rows: [{ id: ids.own }] });
    expect((await listNotifications(plane.db, unrestricted, firstPage, anyNotification)).total).toBe(3);
    expect(await findNotification(plane.db, grants, ids.foreign)).toBeNull();
    const violations = await listViolations(plane.db, grants, firstPage, anyViolation);
    expect(violations).toMatchObject({ total: 1, rows: [{ certificateId: own }] });
    expect((await listViolations(plane.db, unrestricted, firstPage, anyViolation)).total).toBe(2);
  });

  test("are marked and requeued as far as the key reaches", async () => {
    const { now } = plane.time;
    for (const id of [ids.foreign, ids.estate]) {
      const mark = markRead(plane.db, restricted, { id, isRead: true }, now);
      expect(await refusalOf(mark)).toMatchObject({ code: "NotFound" });
      const again = requeue(plane.db, restricted, { id, notifierId: "" }, now);
      expect(await refusalOf(again)).toMatchObject({ code: "NotFound" });
    }
    expect(await markAllRead(plane.db, restricted, "", now)).toBe(1);
    expect(await markAllRead(plane.db, operator, "", now)).toBe(2);
  });
});

test("a key of a team reaches that team's certificates only, and makes no others", async () => {
  await using own = await openControlPlane();
  for (const id of ["t-own", "t-other"]) await own.db.team.create({ data: { id, name: id } });
  const mine = await newCertificate(own, { teamId: "t-own" });
  await newCertificate(own, { teamId: "t-other" });
  await newCertificate(own, {});
  const ofTeam: Grants = { teamIds: ["t-own"], issuerIds: [] };
  const listed = await listCertificates(own.db, ofTeam, firstPage, allCertificates, own.time.now);
  expect(listed).toMatchObject({ total: 1, rows: [{ id: mine }] });
  const actor = { ...operator, grants: ofTeam };
  expect(await refusalOf(createCertificate(own, actor, "", declaration()))).toMatchObject({
    code: "PermissionDenied",
    message: "this key is restricted to the teams t-own: set team_id to one",
  });
  const moved = updateCertificate(own, actor, mine, declaration({ teamId: "t-other" }));
  expect((await refusalOf(moved)).code).toBe("PermissionDenied");
});

describe("grants cover", () => {
  const of = (teamIds: string[], issuerIds: string[] = []): Grants => ({ teamIds, issuerIds });

  test("what is the same or less", () => {
    expect(covers(unrestricted, of(["t-a"]))).toBe(true);
    expect(covers(of(["t-a", "t-b"]), of(["t-b"]))).toBe(true);
    expect(covers(of(["t-a"]), of(["t-a"], ["iss-a"]))).toBe(true);
  });

  test("neither all where they name some, nor others", () => {
    expect(covers(of(["t-a"]), unrestricted)).toBe(false);
    expect(covers(of(["t-a"]), of(["t-a", "t-b"]))).toBe(false);
    expect(covers(of(["t-a"], ["iss-a"]), of(["t-a"]))).toBe(false);
  });
});
