import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  allCertificates,
  type ControlPlane,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
  refusalOf,
  type TestAgent,
} from "../../test/fixtures.ts";
import { refuseRows } from "../../test/refuse-rows.ts";
import { archiveCertificate } from "../certificates/declare.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { createOperation, type OperationWish } from "./create.ts";
import { operationTask, resumeOperations, runOperation } from "./run.ts";
import { moveOperation } from "./state.ts";
import { findOperation } from "./view.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeEach(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
});
afterEach(() => plane[Symbol.asyncDispose]());

const { signal } = new AbortController();
const nothing = { ownerId: undefined, teamId: undefined, renewalPolicyId: undefined, environment: undefined };
const wish = (changes: Partial<OperationWish>): OperationWish => ({
  kind: "Renew",
  filter: allCertificates,
  filterJson: {},
  changes: nothing,
  expectedTotal: undefined,
  revocation: null,
  ...changes,
});
const start = (changes: Partial<OperationWish> = {}) => createOperation(plane, operator, wish(changes));
const viewOf = (id: string) => findOperation(plane.db, id);
const itemOf = (operationId: string, certificateId: string) =>
  plane.db.operationItem.findUniqueOrThrow({
    where: { operationId_certificateId: { operationId, certificateId } },
  });

async function certificates(
  count: number,
  changes: Parameters<typeof newCertificate>[1] = {},
): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) ids.push(await newCertificate(plane, { agentId: agent.id, ...changes }));
  return ids;
}

describe("an operation", () => {
  test("renews all that match, far beyond a page, and says what became of each", async () => {
    const ids = await certificates(60);
    const [busy = "", keyless = ""] = ids;
    await renewCertificate(plane, operator, busy);
    await plane.db.managedCertificate.update({ where: { id: keyless }, data: { agentId: null } });
    const id = await start({ expectedTotal: 60 });
    await runOperation(plane, id, signal);
    expect(await viewOf(id)).toMatchObject({
      status: "Completed",
      total: 60,
      done: 58,
      skipped: 1,
      failed: 1,
      createdBy: operator.id,
      finishedAt: plane.time.now,
    });
    expect(await itemOf(id, busy)).toMatchObject({
      status: "Skipped",
      message: expect.stringContaining("is being renewed"),
    });
    expect(await itemOf(id, keyless)).toMatchObject({
      status: "Failed",
      message: expect.stringContaining("no agent makes the key"),
    });
    const third = await itemOf(id, ids[2] ?? "");
    expect(await plane.db.job.findMany({ where: { id: { in: third.jobIds } } })).toMatchObject([
      { certificateId: ids[2], status: "AwaitingCSR" },
    ]);
  });

  test("is done in the name of who said yes to it", async () => {
    const [certificateId = ""] = await certificates(1);
    for (const [approvedBy, actorType] of [
      ["ak-someone", "APIKey"],
      ["anonymous-admin", "User"],
    ] as const) {
      const id = await start({ kind: "Reassign", changes: { ...nothing, environment: approvedBy } });
      await plane.db.operation.update({ where: { id }, data: { approvedBy } });
      await runOperation(plane, id, signal);
      const where = { action: "certificate_reassigned", resourceId: certificateId, actor: approvedBy };
      expect(await plane.db.auditEvent.findFirst({ where })).toMatchObject({ actorType, requestId: id });
    }
  });

  test("does each certificate once, whoever runs it at the same time and whoever dies", async () => {
    await certificates(20);
    const id = await start();
    const dying = new AbortController();
    setTimeout(() => dying.abort(), 30);
    await runOperation(plane, id, dying.signal);
    await Promise.all([1, 2, 3].map(() => runOperation(plane, id, signal)));
    expect(await viewOf(id)).toMatchObject({ status: "Completed", done: 20 });
    expect(await plane.db.job.count()).toBe(20);
  });

  test("whose server died is set going by the scheduler, once", async () => {
    await certificates(1);
    const id = await start();
    const tasks = () =>
      plane.db.$queryRaw<unknown[]>`SELECT 1 FROM graphile_worker.jobs WHERE key = ${`operate:${id}`}`;
    const resume = () => operationTask(plane.db, 1_000).run(plane.time.now, signal);
    expect(await resume()).toBe("0 operations resumed");
    await plane.db.$executeRaw`SELECT graphile_worker.remove_job(${`operate:${id}`})`;
    expect(await resume()).toBe("1 operations resumed");
    expect(await tasks()).toHaveLength(1);
  });

  test("whose server died at the work is taken up at once by one that starts", async () => {
    await certificates(1);
    const id = await start();
    await plane.db.$executeRaw`
      UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'dead' WHERE key = ${`operate:${id}`}`;
    expect(await resumeOperations(plane.db, 60_000)).toBe(0);
    expect(await resumeOperations(plane.db, 0)).toBe(1);
  });

  test("is refused when another number matches than the dry run said", async () => {
    await certificates(2);
    expect(await refusalOf(start({ expectedTotal: 3 }))).toMatchObject({
      reason: "TOTAL_CHANGED",
      fields: ["expected_total"],
    });
    expect(await plane.db.operation.count()).toBe(0);
  });

  test("reaches what its filter and the caller's grants choose, and nothing else", async () => {
    const [first = ""] = await certificates(1, { environment: "production" });
    await certificates(2);
    const id = await start({ filter: { ...allCertificates, environments: ["production"] } });
    expect(await viewOf(id)).toMatchObject({ total: 1 });
    expect(await itemOf(id, first)).toMatchObject({ status: "Pending" });
    const actor = { ...operator, grants: { teamIds: ["t-none"], issuerIds: [] } };
    expect(await viewOf(await createOperation(plane, actor, wish({})))).toMatchObject({ total: 0 });
  });

  test("reassigns, and names what was there before in the audit", async () => {
    await plane.db.team.create({ data: { id: "t-new", name: "new" } });
    await plane.db.owner.create({
      data: { id: "o-new", name: "new", email: "n@example.test", teamId: "t-new" },
    });
    const [first = "", second = ""] = await certificates(2);
    await plane.db.managedCertificate.update({
      where: { id: second },
      data: { ownerId: "o-new", teamId: "t-new", environment: "test" },
    });
    const changes = { ...nothing, ownerId: "o-new", environment: "test" };
    const id = await start({ kind: "Reassign", changes });
    await runOperation(plane, id, signal);
    expect(await viewOf(id)).toMatchObject({ done: 1, skipped: 1, failed: 0 });
    expect(await plane.db.managedCertificate.findUniqueOrThrow({ where: { id: first } })).toMatchObject({
      ownerId: "o-new",
      teamId: "t-new",
      environment: "test",
    });
    const [event] = await plane.db.auditEvent.findMany({ where: { action: "certificate_reassigned" } });
    expect(event).toMatchObject({
      resourceId: first,
      requestId: id,
      details: {
        before: { owner_id: null, environment: "" },
        after: { owner_id: "o-new", team_id: "t-new" },
      },
    });
  });

  test("refuses changes that lead nowhere, before it begins", async () => {
    await certificates(1);
    const reassign = (changes: object) => start({ kind: "Reassign", changes: { ...nothing, ...changes } });
    expect(await refusalOf(reassign({}))).toMatchObject({ fields: ["changes"] });
    expect(await refusalOf(reassign({ ownerId: "o-none", teamId: "t-none" }))).toMatchObject({
      fields: ["changes.owner_id", "changes.team_id"],
    });
    expect(await refusalOf(start({ changes: { ...nothing, environment: "x" } }))).toMatchObject({
      fields: ["changes"],
    });
    expect(await plane.db.operation.count()).toBe(0);
  });

  test("archives, and leaves alone what has an open job or is archived already", async () => {
    const [free = "", busy = "", gone = ""] = await certificates(3);
    await renewCertificate(plane, operator, busy);
    const id = await start({ kind: "Archive" });
    await archiveCertificate(plane, operator, gone);
    await runOperation(plane, id, signal);
    expect(await itemOf(id, free)).toMatchObject({ status: "Done" });
    expect(await itemOf(id, busy)).toMatchObject({
      status: "Failed",
      message: expect.stringContaining("1 open job"),
    });
    expect(await itemOf(id, gone)).toMatchObject({ status: "Skipped" });
  });

  test("pauses, goes on, and ends when it is cancelled; what is done stays done", async () => {
    await certificates(2);
    const id = await start();
    await moveOperation(plane, operator, id, "pause");
    await runOperation(plane, id, signal);
    expect(await viewOf(id)).toMatchObject({ status: "Paused", done: 0 });
    await moveOperation(plane, operator, id, "resume");
    await runOperation(plane, id, signal);
    expect(await viewOf(id)).toMatchObject({ status: "Completed", done: 2 });
    for (const move of ["pause", "resume", "cancel", "approve"] as const)
      expect(await refusalOf(moveOperation(plane, operator, id, move))).toMatchObject({
        reason: "OPERATION_STATUS",
      });
    const other = await start();
    await moveOperation(plane, operator, other, "cancel");
    await runOperation(plane, other, signal);
    expect(await viewOf(other)).toMatchObject({ status: "Cancelled", done: 0, finishedAt: plane.time.now });
  });

  test("keeps no renewal whose mark could not be written, and goes on with the others", async () => {
    const [first = "", second = ""] = await certificates(2);
    const id = await start();
    {
      const condition = `resource_id = '${first}' AND action = 'certificate_renewal_requested'`;
      await using _refused = await refuseRows(plane, "audit_events", condition);
      await runOperation(plane, id, signal);
    }
    expect(await itemOf(id, first)).toMatchObject({
      status: "Failed",
      message: "internal error; the server's log has it",
    });
    expect(await itemOf(id, second)).toMatchObject({ status: "Done" });
    expect(await plane.db.job.count({ where: { certificateId: first } })).toBe(0);
  });
});
