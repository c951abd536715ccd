import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAudit, type TestAudit } from "../../test/audit.ts";
import { type ControlPlane, openControlPlane } from "../../test/fixtures.ts";

let plane: ControlPlane;
let audit: TestAudit;
beforeAll(async () => {
  plane = await openControlPlane();
  audit = await openAudit(plane);
  await audit.write("one");
  await audit.seal();
});
afterAll(() => plane[Symbol.asyncDispose]());

describe.each(["audit_events", "audit_seals", "audit_checkpoints"])("%s", (table) => {
  const column = table === "audit_events" ? "actor" : "seq";
  const attempts = [
    `UPDATE ${table} SET ${column} = ${column}`,
    `DELETE FROM ${table}`,
    `TRUNCATE ${table} CASCADE`,
  ];

  test.each(attempts)("refuses %s", async (sql) => {
    await expect(plane.db.$executeRawUnsafe(sql)).rejects.toThrow("is refused: the audit is written once");
  });

  test.each(attempts)("refuses %s even where ordinary triggers are switched off", async (sql) => {
    const client = await plane.pool.connect();
    try {
      await client.query("BEGIN");
      await client.query("SET LOCAL session_replication_role = replica");
      await expect(client.query(sql)).rejects.toThrow("is refused: the audit is written once");
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });
});

test("a row's place in the order is said by the database, whoever writes it", async () => {
  const data = {
    id: "audit-forged",
    actor: "system",
    actorType: "System",
    action: "tested",
    resourceType: "test",
    resourceId: "forged",
    requestId: "",
    details: {},
  };
  await plane.db.auditEvent.create({ data: { ...data, xid: 1n, position: 1n, epoch: 0 } });
  const row = await plane.db.auditEvent.findUniqueOrThrow({ where: { id: "audit-forged" } });
  expect(row.epoch).toBe(1);
  expect(row.xid).toBeGreaterThan(1n);
  expect(row.position).toBeGreaterThan(1n);
});
