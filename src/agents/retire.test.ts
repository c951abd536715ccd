import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  firstPage,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  type TestAgent,
} from "../../test/fixtures.ts";
import { requireInForce } from "../auth/authenticate.ts";
import { unrestricted } from "../auth/grants.ts";
import { restoreTarget } from "../targets/manage.ts";
import { createJoinToken } from "./register.ts";
import { renameAgent, restoreAgent, retireAgent } from "./retire.ts";
import { findAgent, listAgents } from "./view.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  agent = await newAgent(plane);
});

const retire = (changes: { force?: boolean; reason?: string } = {}) =>
  retireAgent(plane, operator, { id: agent.id, force: false, reason: "", ...changes });
const auditOf = async () =>
  plane.db.auditEvent.findMany({ where: { resourceId: agent.id }, orderBy: { at: "asc" } });

describe("retiring an agent", () => {
  test("ends its credentials, tokens and stream, and takes it off the list", async () => {
    await createJoinToken(plane, operator, { agentId: agent.id, maxUses: 1, ttlSeconds: 600 });
    const before = await plane.db.agent.findUniqueOrThrow({ where: { id: agent.id } });
    await retire();
    expect(await findAgent(plane.db, unrestricted, agent.id)).toMatchObject({
      status: "Retired",
      retiredAt: plane.time.now,
    });
    const inForce = plane.db.$transaction((tx) => requireInForce(tx, agent.caller.principal));
    expect(await refusalOf(inForce)).toMatchObject({ code: "Unauthenticated" });
    const after = await plane.db.agent.findUniqueOrThrow({ where: { id: agent.id } });
    expect(after.sessionEpoch).toBeGreaterThan(before.sessionEpoch);
    expect(
      await plane.db.joinToken.count({ where: { agentId: agent.id, expiresAt: { gt: plane.time.now } } }),
    ).toBe(0);
    const ids = async (statuses: string[]) =>
      (
        await listAgents(plane.db, unrestricted, { ...firstPage, perPage: 500 }, { statuses, q: "" })
      ).rows.map(({ id }) => id);
    expect(await ids([])).not.toContain(agent.id);
    expect(await ids(["Retired"])).toContain(agent.id);
    await retire();
    expect((await auditOf()).filter(({ action }) => action === "agent_retired")).toHaveLength(1);
  });

  test("is refused with the counts of what depends on it", async () => {
    const target = await newTarget(plane, agent);
    const certificateId = await newCertificate(plane, { targetIds: [target], agentId: agent.id });
    await openIssuance(plane, agent, certificateId);
    expect(await refusalOf(retire())).toMatchObject({
      reason: "IN_USE",
      fields: ["targets", "certificates", "open_jobs"],
      message: expect.stringContaining("1 target, 1 certificate, 1 open job"),
    });
    expect(await findAgent(plane.db, unrestricted, agent.id)).toMatchObject({
      targetCount: 1,
      certificateCount: 1,
      retiredAt: null,
    });
  });

  test("by force takes all of that with it, for a reason that the audit keeps", async () => {
    const target = await newTarget(plane, agent);
    const certificateId = await newCertificate(plane, { targetIds: [target], agentId: agent.id });
    await issueVersion(plane, agent, certificateId);
    const job = await openIssuance(plane, agent, certificateId).catch(() => null);
    expect(await refusalOf(retire({ force: true }))).toMatchObject({
      code: "InvalidArgument",
      fields: ["reason"],
    });
    await retire({ force: true, reason: "the host burnt down" });
    const open = { agentId: agent.id, status: { in: ["Pending", "AwaitingCSR", "Running"] } };
    expect(await plane.db.job.count({ where: open })).toBe(0);
    expect(job).not.toBe(undefined);
    expect((await plane.db.target.findUniqueOrThrow({ where: { id: target } })).archivedAt).toEqual(
      plane.time.now,
    );
    expect(
      await plane.db.managedCertificate.findUniqueOrThrow({ where: { id: certificateId } }),
    ).toMatchObject({
      agentId: null,
      archivedAt: null,
    });
    expect(await plane.db.certificateVersion.count({ where: { certificateId } })).toBeGreaterThan(0);
    const [event] = (await auditOf()).filter(({ action }) => action === "agent_retired");
    expect(event?.details).toMatchObject({
      force: true,
      reason: "the host burnt down",
      targets: 1,
      certificates: 1,
    });
  });

  test("can be taken back, but not what it held while it is retired", async () => {
    const target = await newTarget(plane, agent);
    await retire({ force: true, reason: "moved" });
    expect(await refusalOf(restoreTarget(plane, operator, target))).toMatchObject({
      reason: "REFERENCE_ARCHIVED",
    });
    expect(await refusalOf(newCertificate(plane, { agentId: agent.id }))).toMatchObject({
      fields: ["agent_id"],
    });
    await restoreAgent(plane, operator, agent.id);
    expect(await findAgent(plane.db, unrestricted, agent.id)).toMatchObject({
      status: "Offline",
      retiredAt: null,
    });
    await expect(restoreTarget(plane, operator, target)).resolves.toBeUndefined();
  });
});

test("an agent is renamed, and found by part of its name", async () => {
  await renameAgent(plane, operator, { id: agent.id, name: "Frankfurt edge" });
  const { rows } = await listAgents(plane.db, unrestricted, firstPage, { statuses: [], q: "frankFURT" });
  expect(rows).toMatchObject([{ id: agent.id, name: "Frankfurt edge" }]);
  expect((await auditOf()).at(-1)).toMatchObject({
    action: "agent_updated",
    details: { before: { name: "test" } },
  });
});
