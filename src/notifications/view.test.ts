import { afterAll, beforeAll, expect, test } from "vitest";
import { newPolicy } from "../../test/channels.ts";
import { type ControlPlane, firstPage, newCertificate, openControlPlane } from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { raiseEvent } from "./raise.ts";
import { listNotifications } from "./view.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

test("the list is sorted by how bad things are", async () => {
  const policy = await newPolicy(plane, []);
  const certificateId = await newCertificate(plane, { renewalPolicyId: policy });
  const rule = { ruleId: "pr-a", ruleName: "names", message: "no", isOpen: true };
  for (const severity of ["Warning", "Critical", "Error"] as const)
    await plane.db.$transaction((tx) =>
      raiseEvent(tx, { type: "PolicyViolation", certificateId, severity, ...rule }, plane.time.now),
    );
  const filter = {
    statuses: [],
    types: [],
    notifierId: "",
    channel: "",
    agentId: "",
    thread: "",
    group: "",
    q: "",
  };
  const wanted = { ...filter, certificateId, folded: false };
  const listed = await listNotifications(plane.db, unrestricted, { ...firstPage, sort: "-severity" }, wanted);
  expect(listed.rows.map(({ severity }) => severity)).toEqual(["Critical", "Warning", "Warning"]);
  const page = { ...firstPage, sort: "-severity", perPage: 1 };
  const { nextCursor } = await listNotifications(plane.db, unrestricted, page, wanted);
  const next = await listNotifications(plane.db, unrestricted, { ...page, cursor: nextCursor }, wanted);
  expect(next.rows).toMatchObject([{ severity: "Warning" }]);
});
