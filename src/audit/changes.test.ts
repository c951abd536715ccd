import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  declaration,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  operator,
} from "../../test/fixtures.ts";
import { updateCertificate } from "../certificates/declare.ts";
import { createNotifier, updateNotifier } from "../notifiers/manage.ts";
import { updateRenewalPolicy } from "../renewal-policies/manage.ts";
import { createTeam, updateTeam } from "../teams/manage.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const changeOf = async (resourceId: string) =>
  (
    await plane.db.auditEvent.findFirstOrThrow({
      where: { resourceId, action: { endsWith: "_updated" } },
      orderBy: { position: "desc" },
    })
  ).details;

describe("an update is written down", () => {
  test("by the fields that it changed, as they were and as they are", async () => {
    const wanted = { id: "t-a", name: "a", description: "first", email: "" };
    await createTeam(plane.db, operator, wanted);
    await updateTeam(plane.db, operator, { ...wanted, description: "second" });
    expect(await changeOf("t-a")).toEqual({
      before: { description: "first" },
      after: { description: "second" },
    });
    await updateTeam(plane.db, operator, { ...wanted, description: "second" });
    expect(await changeOf("t-a")).toEqual({ before: {}, after: {} });
  });

  test("with what belongs to it in other tables", async () => {
    const agent = await newAgent(plane);
    const [first, second] = [await newTarget(plane, agent), await newTarget(plane, agent)];
    const wanted = { name: "c", targetIds: [first] };
    const id = await newCertificate(plane, wanted);
    await updateCertificate(plane, operator, id, declaration({ ...wanted, targetIds: [first, second] }));
    expect(await changeOf(id)).toEqual({
      before: { target_ids: [first] },
      after: { target_ids: [first, second].sort() },
    });
  });

  test("with its secrets masked", async () => {
    const config = { url: "https://a.example/", secret: "a secret of twenty characters" };
    const wanted = { id: "nf-a", name: "a", config, enabled: true, defaultRecipient: "" };
    await createNotifier(plane, operator, { ...wanted, kind: "webhook" });
    const other = { ...config, url: "https://b.example/", secret: "another secret of that length" };
    await updateNotifier(plane, operator, { ...wanted, config: other });
    const mask = "********";
    expect(await changeOf("nf-a")).toEqual({
      before: { config: { url: config.url, secret: mask } },
      after: { config: { url: other.url, secret: mask } },
    });
    const channels = [{ notifierId: "nf-a", thresholdsDays: [7], events: [] }];
    const policy = { id: "rp-default", name: "x", renewalWindowDays: 0, alertThresholdsDays: [] };
    await updateRenewalPolicy(plane.db, operator, { ...policy, channels });
    expect(await changeOf("rp-default")).toMatchObject({
      before: { channels: [] },
      after: { name: "x", channels: [{ notifier_id: "nf-a", thresholds_days: [7], events: [] }] },
    });
  });
});
