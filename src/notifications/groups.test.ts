import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newPolicy, newWebhook } from "../../test/channels.ts";
import {
  type ControlPlane,
  dayMs,
  firstPage,
  hourMs,
  issueVersion,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
  refusalOf,
  type TestAgent,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { raiseExpiryAlerts } from "./expiry-alerts.ts";
import { acknowledgeGroups, snoozeGroups } from "./group-state.ts";
import { countGroups, type GroupFilter, type GroupView, listGroups } from "./groups.ts";

const nobody = { url: "https://localhost:9/hook", ca: undefined };

let plane: ControlPlane;
let agent: TestAgent;
let id: string;
beforeEach(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
  const notifiers = [await newWebhook(plane, nobody), await newWebhook(plane, nobody)];
  const channels = notifiers.map((notifierId) => ({
    notifierId,
    thresholdsDays: [30, 14, 7, 0],
    events: ["CertificateIssued"],
  }));
  const renewalPolicyId = await newPolicy(plane, channels);
  id = await newCertificate(plane, { agentId: agent.id, renewalPolicyId });
  await issueVersion(plane, agent, id);
  await plane.db.renewalPolicy.update({ where: { id: renewalPolicyId }, data: { autoRenew: false } });
});
afterEach(() => plane[Symbol.asyncDispose]());

const all: GroupFilter = { states: [], types: [], q: "", certificateId: "" };
const groups = async (filter: Partial<GroupFilter> = {}): Promise<GroupView[]> =>
  (await listGroups(plane.db, unrestricted, firstPage, { ...all, ...filter }, plane.time.now)).rows;
const stateOf = async () => (await groups())[0]?.state;
const counts = () => countGroups(plane.db, unrestricted, plane.time.now);

/** The certificate crosses its next threshold. */
async function cross(days: number): Promise<void> {
  const { notAfter } = await plane.db.certificateVersion.findFirstOrThrow({
    where: { certificateId: id },
    orderBy: { createdAt: "desc" },
  });
  plane.time.now = new Date(notAfter.getTime() - days * dayMs + 1);
  await raiseExpiryAlerts(plane.db, plane.time.now, new AbortController().signal);
}

describe("a group of notifications", () => {
  test("folds the crossings of a certificate's thresholds into the newest, however many channels tell of them", async () => {
    for (const days of [30, 14, 7]) await cross(days);
    const [group, ...others] = await groups();
    expect(others).toEqual([]);
    expect(group).toMatchObject({
      id: `${id}/renewal`,
      state: "open",
      newest: { thresholdDays: 7, certificateId: id },
      // Its issuance, and three crossings.
      count: 4,
      unread: 8,
      deliveries: [{ status: "pending" }, { status: "pending" }],
    });
    expect(await counts()).toEqual({ open: 1 });
  });

  test("is resolved once the certificate is renewed", async () => {
    await cross(30);
    await issueVersion(plane, agent, id);
    expect(await stateOf()).toBe("resolved");
    expect(await groups({ states: ["open"] })).toEqual([]);
  });

  test("that is acknowledged leaves the inbox until something new is said", async () => {
    await cross(30);
    const group = `${id}/renewal`;
    expect(
      await acknowledgeGroups(plane.db, operator, { ids: [group, "none"], undo: false }, plane.time.now),
    ).toBe(1);
    expect((await groups())[0]).toMatchObject({
      state: "acknowledged",
      acknowledgedBy: operator.id,
      acknowledgedAt: plane.time.now,
      unread: 0,
    });
    await acknowledgeGroups(plane.db, operator, { ids: [group], undo: true }, plane.time.now);
    expect(await stateOf()).toBe("open");
    await acknowledgeGroups(plane.db, operator, { ids: [group], undo: false }, plane.time.now);
    await cross(14);
    expect(await stateOf()).toBe("open");
  });

  test("that is snoozed is hidden until its time, whatever is said meanwhile", async () => {
    await cross(30);
    const group = `${id}/renewal`;
    const until = new Date(plane.time.now.getTime() + 20 * dayMs);
    await snoozeGroups(plane.db, operator, { ids: [group], until }, plane.time.now);
    expect((await groups())[0]).toMatchObject({
      state: "snoozed",
      snoozedUntil: until,
      snoozedBy: operator.id,
    });
    await cross(14);
    expect(await stateOf()).toBe("snoozed");
    plane.time.now = new Date(until.getTime() + hourMs);
    expect(await stateOf()).toBe("open");
    const soon = new Date(plane.time.now.getTime() + hourMs);
    await snoozeGroups(plane.db, operator, { ids: [group], until: soon }, plane.time.now);
    await snoozeGroups(plane.db, operator, { ids: [group], until: null }, plane.time.now);
    expect(await stateOf()).toBe("open");
    const past = snoozeGroups(plane.db, operator, { ids: [group], until: plane.time.now }, plane.time.now);
    expect(await refusalOf(past)).toMatchObject({ fields: ["until"] });
  });

  test("is found by type, subject, certificate and state, within the grants", async () => {
    await cross(30);
    expect(
      await groups({ types: ["CertificateExpiring"], q: "EXPIRES", certificateId: id, states: ["open"] }),
    ).toHaveLength(1);
    expect(await groups({ types: ["RenewalFailed"] })).toEqual([]);
    expect(await groups({ q: "nothing" })).toEqual([]);
    expect(await groups({ certificateId: "mc-other" })).toEqual([]);
    const elsewhere = { teamIds: ["t-other"], issuerIds: [] };
    expect((await listGroups(plane.db, elsewhere, firstPage, all, plane.time.now)).total).toBe(0);
    expect(await countGroups(plane.db, elsewhere, plane.time.now)).toEqual({});
    const other = { ...operator, grants: elsewhere };
    expect(
      await acknowledgeGroups(plane.db, other, { ids: [`${id}/renewal`], undo: false }, plane.time.now),
    ).toBe(0);
  });

  test("is written down when somebody acknowledges or snoozes it", async () => {
    await cross(30);
    const ids = [`${id}/renewal`];
    await acknowledgeGroups(plane.db, operator, { ids, undo: false }, plane.time.now);
    await snoozeGroups(
      plane.db,
      operator,
      { ids, until: new Date(plane.time.now.getTime() + dayMs) },
      plane.time.now,
    );
    const rows = await plane.db.auditEvent.findMany({ where: { resourceId: ids[0] ?? "" } });
    expect(rows.map(({ action }) => action).sort()).toEqual([
      "notifications_acknowledged",
      "notifications_snoozed",
    ]);
  });
});
