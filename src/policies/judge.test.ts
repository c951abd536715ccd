import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newPolicy, newWebhook } from "../../test/channels.ts";
import {
  type ControlPlane,
  dayMs,
  declaration,
  issueVersion,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
  refusalOf,
} from "../../test/fixtures.ts";
import { createCertificate, updateCertificate } from "../certificates/declare.ts";
import { reassignCertificate } from "../certificates/reassign.ts";
import { newId } from "../platform/ids.ts";
import { checkOf } from "./evaluate.ts";
import { dryRun, policiesTask } from "./inventory.ts";
import { archiveRule, createRule, updateRule } from "./manage.ts";

const start = new Date("2030-06-01T12:00:00Z");
const { signal } = new AbortController();

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  plane.time.now = start;
  await plane.db.policyRule.updateMany({ where: { archivedAt: null }, data: { archivedAt: start } });
});

interface RuleChanges {
  type?: string;
  config?: Parameters<typeof createRule>[2]["config"];
  mode?: string;
  severity?: string;
  enabled?: boolean;
}

const environments = { type: "AllowedEnvironments", config: { allowed: ["production"] } };

async function rule(changes: RuleChanges = {}): Promise<string> {
  const wanted = { id: "", name: newId("rule"), severity: "Error", mode: "audit", enabled: true };
  return createRule(plane.db, operator, { ...wanted, ...environments, ...changes }, plane.time.now);
}

/** The hourly run. */
const check = () => policiesTask(plane.db, 3_600_000).run(plane.time.now, signal);
const violationsOf = (certificateId: string) =>
  plane.db.policyViolation.findMany({
    where: { certificateId },
    orderBy: [{ openedAt: "asc" }, { id: "asc" }],
  });
const update = (id: string, changes: Parameters<typeof declaration>[0]) =>
  updateCertificate(plane, operator, id, declaration({ name: id, ...changes }));

describe("an audited rule", () => {
  test("opens a violation once and closes it when it no longer holds", async () => {
    const ruleId = await rule();
    const id = await newCertificate(plane, { environment: "test" });
    const open = { ruleId, severity: "Error", openedAt: start, closedAt: null };
    expect(await violationsOf(id)).toMatchObject([open]);
    plane.time.now = new Date(start.getTime() + dayMs);
    await check();
    await update(id, { environment: "test" });
    expect(await violationsOf(id)).toMatchObject([open]);
    await update(id, { environment: "production" });
    expect(await violationsOf(id)).toMatchObject([{ ...open, closedAt: plane.time.now }]);
    await update(id, { environment: "test" });
    expect(await violationsOf(id)).toMatchObject([{ closedAt: plane.time.now }, { closedAt: null }]);
    const actions = await plane.db.auditEvent.findMany({
      where: { resourceType: "policy_violation", details: { path: ["certificate_id"], equals: id } },
      orderBy: { at: "asc" },
    });
    expect(actions.map(({ action }) => action)).toEqual([
      "policy_violation_opened",
      "policy_violation_closed",
      "policy_violation_opened",
    ]);
  });

  test("says in the violation what is wrong now", async () => {
    const ruleId = await rule();
    const id = await newCertificate(plane, { environment: "test" });
    await update(id, { environment: "other" });
    expect(await violationsOf(id)).toMatchObject([
      { message: '"other" is not allowed; allowed are production', closedAt: null },
    ]);
    const wanted = { id: ruleId, name: ruleId, mode: "audit", enabled: true, config: environments.config };
    await updateRule(plane.db, operator, { ...wanted, severity: "Critical" }, plane.time.now);
    await check();
    expect(await violationsOf(id)).toMatchObject([{ severity: "Critical", closedAt: null }]);
  });

  test("finds what was there before it, at the next run", async () => {
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(await newCertificate(plane, { environment: "test" }));
    await rule();
    await check();
    for (const id of ids) expect(await violationsOf(id)).toMatchObject([{ closedAt: null }]);
  });

  test("that is changed, disabled or archived lets go of what it no longer forbids", async () => {
    const ruleId = await rule();
    const wanted = { id: ruleId, name: ruleId, severity: "Error", mode: "audit" };
    const id = await newCertificate(plane, { environment: "test" });
    const openNow = async () => (await violationsOf(id)).filter(({ closedAt }) => closedAt === null).length;
    const set = async (config: { allowed: string[] }, enabled: boolean) => {
      await updateRule(plane.db, operator, { ...wanted, config, enabled }, plane.time.now);
      await check();
    };
    await set({ allowed: ["test"] }, true);
    expect(await openNow()).toBe(0);
    await set(environments.config, true);
    expect(await openNow()).toBe(1);
    await set(environments.config, false);
    expect(await openNow()).toBe(0);
    await set(environments.config, true);
    expect(await openNow()).toBe(1);
    await archiveRule(plane.db, operator, ruleId, plane.time.now);
    await check();
    expect(await openNow()).toBe(0);
  });

  test("holds archived certificates to nothing", async () => {
    await rule();
    const id = await newCertificate(plane, { environment: "test" });
    await plane.db.managedCertificate.update({ where: { id }, data: { archivedAt: start } });
    await check();
    expect(await violationsOf(id)).toMatchObject([{ closedAt: start }]);
  });

  test("is told to the channels of the certificate's renewal policy, open and closed", async () => {
    await rule({ severity: "Critical" });
    const notifierId = await newWebhook(plane, { url: "https://receiver.example", ca: undefined });
    const events = ["PolicyViolation"];
    const renewalPolicyId = await newPolicy(plane, [{ notifierId, thresholdsDays: [], events }]);
    const id = await newCertificate(plane, { environment: "test", renewalPolicyId });
    await update(id, { environment: "production", renewalPolicyId });
    const told = await plane.db.notification.findMany({ where: { certificateId: id } });
    expect(told.map(({ effect, severity }) => [effect, severity]).sort()).toEqual([
      ["resolve", "Info"],
      ["trigger", "Critical"],
    ]);
  });

  test("opens one violation although six replicas find it at the same moment", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push(await newCertificate(plane, { environment: "test" }));
    await rule();
    await Promise.all(Array.from({ length: 6 }, check));
    for (const id of ids) expect(await violationsOf(id)).toHaveLength(1);
    const opened = {
      action: "policy_violation_opened",
      details: { path: ["certificate_id"], equals: ids[0] ?? "" },
    };
    expect(await plane.db.auditEvent.count({ where: opened })).toBe(1);
  });

  test("judges what the CA made, when it is issued, and what time brings", async () => {
    await rule({ type: "RenewalLeadTime", config: { lead_time_days: 10 } });
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, id);
    expect(await violationsOf(id)).toEqual([]);
    plane.time.now = new Date(start.getTime() + 40 * dayMs);
    await check();
    expect(await violationsOf(id)).toMatchObject([{ closedAt: null }]);
    await issueVersion(plane, agent, id);
    expect(await violationsOf(id)).toMatchObject([{ closedAt: plane.time.now }]);
  });
});

describe("an enforced rule", () => {
  test("refuses the write with its name and every field, and nothing is written", async () => {
    await rule({ mode: "enforce" });
    await rule({ mode: "enforce", type: "RequiredMetadata", config: { required_keys: ["owner", "tags"] } });
    const create = createCertificate(plane, operator, "mc-refused", declaration({ environment: "test" }));
    const refusal = await refusalOf(create);
    expect(refusal).toMatchObject({ code: "FailedPrecondition", reason: "POLICY_VIOLATION" });
    expect(refusal.message).toMatch(/^refused by the policy rules rule-.* \(pr-.*\), rule-.* \(pr-.*\)$/);
    expect(refusal.fields.sort()).toEqual(["environment", "owner_id", "tags"]);
    expect(await plane.db.managedCertificate.count({ where: { id: "mc-refused" } })).toBe(0);
  });

  test("refuses an update and leaves the certificate as it was", async () => {
    const id = await newCertificate(plane, { environment: "production" });
    await rule({ mode: "enforce" });
    expect(await refusalOf(update(id, { environment: "test" }))).toMatchObject({
      reason: "POLICY_VIOLATION",
    });
    expect(await plane.db.managedCertificate.findUnique({ where: { id } })).toMatchObject({
      environment: "production",
    });
    expect(await violationsOf(id)).toEqual([]);
  });

  test("records what was there before it, and refuses no write for what only time brought about", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, id);
    await rule({ mode: "enforce", type: "RenewalLeadTime", config: { lead_time_days: 10 } });
    plane.time.now = new Date(start.getTime() + 40 * dayMs);
    await update(id, { agentId: agent.id });
    expect(await violationsOf(id)).toMatchObject([{ closedAt: null }]);
  });

  test("refuses a reassignment in bulk, certificate by certificate", async () => {
    const id = await newCertificate(plane, { environment: "production" });
    await rule({ mode: "enforce" });
    const nothing = { ownerId: undefined, teamId: undefined, renewalPolicyId: undefined };
    const reassign = (environment: string) =>
      plane.db.$transaction((tx) =>
        reassignCertificate(tx, operator, id, { ...nothing, environment }, plane.time.now),
      );
    expect(await refusalOf(reassign("test"))).toMatchObject({ reason: "POLICY_VIOLATION" });
    expect(await reassign("production")).toBe(false);
  });

  test("that is disabled refuses nothing", async () => {
    await rule({ mode: "enforce", enabled: false });
    const id = await newCertificate(plane, { environment: "test" });
    expect(await violationsOf(id)).toEqual([]);
  });
});

test("a dry run counts over the whole inventory, shows some, and writes nothing", async () => {
  await plane.db.managedCertificate.updateMany({ data: { archivedAt: start } });
  const columns = declaration();
  const rows = Array.from({ length: 450 }, (_, i) => ({
    id: `mc-bulk-${i}`,
    name: `bulk-${i}`,
    commonName: columns.commonName,
    sans: [columns.commonName],
    issuerId: "iss-local",
    keyAlgorithm: columns.keyAlgorithm,
    validitySeconds: 86_400,
    environment: i % 2 === 0 ? "production" : "test",
  }));
  await plane.db.managedCertificate.createMany({ data: rows });
  const found = await dryRun(plane.db, checkOf(environments.type, environments.config), start, signal);
  expect(found).toMatchObject({ checked: 450, violating: 225 });
  expect(found.examples).toHaveLength(20);
  expect(found.examples[0]).toMatchObject({ message: '"test" is not allowed; allowed are production' });
  expect(await plane.db.policyViolation.count({ where: { certificateId: { startsWith: "mc-bulk" } } })).toBe(
    0,
  );
});
