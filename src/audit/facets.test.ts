import { expect, test } from "vitest";
import { hourMs, openControlPlane, operator } from "../../test/fixtures.ts";
import { countAuditEvents } from "./facets.ts";
import { recordAudit } from "./record.ts";

test("events are counted by action, resource type and actor, within a time", async () => {
  await using plane = await openControlPlane();
  const { db } = plane;
  const record = (action: string, id = operator.id) =>
    db.$transaction((tx) =>
      recordAudit(tx, { ...operator, id }, { action, resourceType: "thing", resourceId: "x" }),
    );
  const start = new Date();
  await record("thing_made");
  await record("thing_made", "ak-other");
  await record("thing_lost");
  const facets = await countAuditEvents(db, { from: null, to: null });
  expect(facets.actions.filter(({ name }) => name.startsWith("thing"))).toEqual([
    { name: "thing_made", count: 2 },
    { name: "thing_lost", count: 1 },
  ]);
  expect(facets.resourceTypes).toContainEqual({ name: "thing", count: 3 });
  expect(facets.actors).toContainEqual({ name: operator.id, count: 2 });
  const before = await countAuditEvents(db, { from: null, to: new Date(start.getTime() - hourMs) });
  const after = await countAuditEvents(db, { from: new Date(start.getTime() + hourMs), to: null });
  expect([before.actions, after.actions]).toEqual([[], []]);
});
