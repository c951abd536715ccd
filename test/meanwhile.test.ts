import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { retireAgent } from "../src/agents/retire.ts";
import { createApiKey } from "../src/api-keys/create.ts";
import { requireInForce } from "../src/auth/authenticate.ts";
import { unrestricted } from "../src/auth/grants.ts";
import { archiveCertificate, restoreCertificate } from "../src/certificates/declare.ts";
import { deployCertificate } from "../src/certificates/deploy.ts";
import { validationTask } from "../src/certificates/validation-schedule.ts";
import { cancelJob } from "../src/jobs/cancel.ts";
import { createValidation } from "../src/jobs/create.ts";
import { retryJob } from "../src/jobs/retry-by-hand.ts";
import { createOwner } from "../src/owners/manage.ts";
import type { Transaction } from "../src/platform/database.ts";
import { newId } from "../src/platform/ids.ts";
import { createTarget } from "../src/targets/manage.ts";
import {
  type ControlPlane,
  dayMs,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  type TestAgent,
} from "./fixtures.ts";
import { archiveRaw, whileHeld } from "./while-held.ts";

/** Two calls at the same time, of which the second is right only by what the first is about to commit. */

let plane: ControlPlane;
let agent: TestAgent;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  agent = await newAgent(plane);
});

async function retire(tx: Transaction): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM agents WHERE id = ${agent.id} FOR UPDATE`;
  await tx.agent.update({ where: { id: agent.id }, data: { retiredAt: plane.time.now } });
}

describe("while something is archived", () => {
  test("no certificate is bound to it", async () => {
    const targetId = await newTarget(plane, agent);
    const call = () => newCertificate(plane, { targetIds: [targetId] });
    const made = whileHeld(plane, (tx) => archiveRaw(tx, "deployment_targets", targetId), call);
    expect(await refusalOf(made)).toMatchObject({ fields: ["target_ids[0]"] });
  });

  test.each(["owners", "deployment_targets"] as const)(
    "what refers to it is not restored: %s",
    async (table) => {
      const wanted = { id: "", name: newId("o"), email: "o@example.test", teamId: "" };
      const ownerId = await createOwner(plane.db, operator, wanted);
      const targetId = await newTarget(plane, agent);
      const id = await newCertificate(plane, { targetIds: [targetId], ownerId });
      await archiveCertificate(plane, operator, id);
      const change = (tx: Transaction) => archiveRaw(tx, table, table === "owners" ? ownerId : targetId);
      const restored = whileHeld(plane, change, () => restoreCertificate(plane, operator, id));
      expect(await refusalOf(restored)).toMatchObject({ reason: "REFERENCE_ARCHIVED" });
    },
  );

  test("no job of it is tried again", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    const job = await openIssuance(plane, agent, id);
    await cancelJob(plane, operator, job.id);
    const retried = whileHeld(
      plane,
      (tx) => archiveRaw(tx, "managed_certificates", id),
      () => retryJob(plane, operator, job.id),
    );
    expect(await refusalOf(retried)).toMatchObject({ reason: "ARCHIVED" });
  });
});

describe("while an agent is retired", () => {
  test("it gets no target", async () => {
    const wanted = { id: "", name: newId("t"), kind: "files", agentId: agent.id, config: { entry: "x" } };
    const made = whileHeld(plane, retire, () => createTarget(plane, operator, wanted));
    expect(await refusalOf(made)).toMatchObject({ fields: ["agent_id"] });
  });

  test("it gets no key, and what it has holds no more", async () => {
    const end = async (tx: Transaction) => {
      await retire(tx);
      await tx.apiKey.updateMany({ where: { agentId: agent.id }, data: { revokedAt: plane.time.now } });
    };
    const wanted = { id: "", name: "late", role: "agent" as const, agentId: agent.id, ...unrestricted };
    const made = whileHeld(plane, end, () => createApiKey(plane, operator, { ...wanted, expiresAt: null }));
    expect(await refusalOf(made)).toMatchObject({ fields: ["agent_id"] });
    agent = await newAgent(plane);
    const check = () => plane.db.$transaction((tx) => requireInForce(tx, agent.caller.principal));
    expect(await refusalOf(whileHeld(plane, end, check))).toMatchObject({ reason: "IDENTITY_ENDED" });
  });

  test("it gets no certificate", async () => {
    const made = whileHeld(plane, retire, () => newCertificate(plane, { agentId: agent.id }));
    expect(await refusalOf(made)).toMatchObject({ fields: ["agent_id"] });
  });

  test("what was bound to its target a moment ago goes with it", async () => {
    const targetId = await newTarget(plane, agent);
    const certificateId = await newCertificate(plane, {});
    const bind = (tx: Transaction) => tx.certificateTarget.create({ data: { certificateId, targetId } });
    const wanted = { id: agent.id, force: true, reason: "gone" };
    await whileHeld(plane, bind, () => retireAgent(plane, operator, wanted));
    expect(await plane.db.certificateTarget.count({ where: { targetId } })).toBe(0);
  });
});

test("a target is looked at once, by whoever asks for it", async () => {
  const targetId = await newTarget(plane, agent);
  const certificateId = await newCertificate(plane, { targetIds: [targetId] });
  const { id: versionId } = await issueVersion(plane, agent, certificateId);
  await plane.db.job.updateMany({ where: { certificateId }, data: { status: "Cancelled" } });
  const { now } = plane.time;
  await plane.db.certificateTarget.updateMany({
    where: { certificateId },
    data: { versionId, provenAt: new Date(now.getTime() - 2 * dayMs) },
  });
  const byHand = async (tx: Transaction) => {
    await tx.$queryRaw`SELECT 1 FROM managed_certificates WHERE id = ${certificateId} FOR UPDATE`;
    const target = { id: targetId, agentId: agent.id, generation: 0 };
    await createValidation(tx, operator, { certificateId, target, versionId, now });
  };
  const bySchedule = () => validationTask(plane.db, dayMs).run(now, new AbortController().signal);
  await expect(whileHeld(plane, byHand, bySchedule)).resolves.toContain("opened");
  expect(await plane.db.job.count({ where: { certificateId, type: "Validation" } })).toBe(1);
});

test("a deployment that its agent is given at this moment is not superseded", async () => {
  const targetId = await newTarget(plane, agent);
  const id = await newCertificate(plane, { targetIds: [targetId] });
  const first = await issueVersion(plane, agent, id);
  const job = await plane.db.job.findFirstOrThrow({ where: { versionId: first.id, type: "Deployment" } });
  await plane.db.target.update({ where: { id: targetId }, data: { generation: { increment: 1 } } });
  const give = (tx: Transaction) =>
    tx.$executeRaw`UPDATE jobs SET lease_id = 'given', lease_expires_at = now() + interval '1 minute' WHERE id = ${job.id}`;
  const again = () => deployCertificate(plane, operator, { id, versionId: "", targetIds: [] });
  const [newer] = await whileHeld(plane, give, again);
  expect(newer).not.toBe(job.id);
  expect(await plane.db.job.findUniqueOrThrow({ where: { id: job.id } })).toMatchObject({
    status: "Pending",
  });
});
