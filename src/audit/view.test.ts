import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAudit, type TestAudit } from "../../test/audit.ts";
import { type ControlPlane, firstPage, openControlPlane } from "../../test/fixtures.ts";
import { type AuditFilter, allAuditEvents, listAuditEvents } from "./view.ts";

let plane: ControlPlane;
let audit: TestAudit;
const at = (minute: number) => new Date(Date.UTC(2030, 5, 1, 12, minute));

beforeAll(async () => {
  plane = await openControlPlane();
  audit = await openAudit(plane);
  const rows = [
    ["ak-a", "APIKey", "certificate_created", "certificate", "mc-1", "req-1"],
    ["ak-a", "APIKey", "certificate_updated", "certificate", "mc-1", "req-2"],
    ["ag-b", "Agent", "csr_accepted", "job", "job-1", "req-3"],
    ["system", "System", "certificate_issued", "certificate", "mc-2", ""],
  ];
  for (const [
    index,
    [actor = "", actorType = "", action = "", resourceType = "", resourceId = "", requestId = ""],
  ] of rows.entries()) {
    const data = { actor, actorType, action, resourceType, resourceId, requestId, details: {} };
    await plane.db.auditEvent.create({ data: { ...data, id: `audit-${index}`, at: at(index) } });
  }
});
afterAll(() => plane[Symbol.asyncDispose]());

const none: AuditFilter = {
  actor: "",
  actorTypes: [],
  actions: [],
  resourceType: "",
  resourceId: "",
  requestId: "",
  from: null,
  to: null,
};
const windowed = { from: at(0), to: at(60) };

describe("the audit", () => {
  test.each([
    ["actor", { actor: "ak-a" }, [1, 0]],
    ["actor's type", { actorTypes: ["Agent", "System"], ...windowed }, [3, 2]],
    ["action", { actions: ["csr_accepted", "certificate_created"] }, [2, 0]],
    ["type of resource", { resourceType: "certificate" }, [3, 1, 0]],
    ["resource", { resourceId: "mc-1" }, [1, 0]],
    ["request", { requestId: "req-3" }, [2]],
    ["time, from a moment on and before another", { from: at(1), to: at(3) }, [2, 1]],
  ] as const)("is filtered by %s", async (_what, filter, expected) => {
    const { rows, total } = await listAuditEvents(plane.db, firstPage, { ...none, ...filter });
    expect(rows.map(({ id }) => id)).toEqual(expected.map((index) => `audit-${index}`));
    expect(total).toBe(expected.length);
    const exported: string[] = [];
    for await (const { id } of allAuditEvents(plane.db, { ...none, ...filter })) exported.push(id);
    expect(exported).toEqual(expected.map((index) => `audit-${index}`).reverse());
  });

  test("is sorted and walked by cursor", async () => {
    const list = (sort: string, cursor = "") =>
      listAuditEvents(plane.db, { page: 1, perPage: 3, sort, cursor }, { ...none, ...windowed });
    const first = await list("resource_id");
    const second = await list("resource_id", first.nextCursor);
    const ids = [...first.rows, ...second.rows].map(({ resourceId }) => resourceId);
    expect(ids).toEqual(["job-1", "mc-1", "mc-1", "mc-2"]);
    expect(second.nextCursor).toBe("");
    expect((await list("timestamp")).rows.map(({ id }) => id)).toEqual(["audit-0", "audit-1", "audit-2"]);
  });
});

describe("the whole audit", () => {
  test("is read by pages, sealed rows first and each row once", async () => {
    await plane.db.$executeRaw`
      INSERT INTO audit_events (id, actor, actor_type, action, resource_type, resource_id, details, request_id)
      SELECT 'audit-many-' || n, 'system', 'System', 'tested', 'test', 'many', '{}', '' FROM generate_series(1, 2500) n`;
    await audit.seal();
    await plane.db.$executeRaw`
      INSERT INTO audit_events (id, actor, actor_type, action, resource_type, resource_id, details, request_id)
      SELECT 'audit-young-' || n, 'system', 'System', 'tested', 'test', 'young', '{}', '' FROM generate_series(1, 1500) n`;
    const rows = await audit.rows();
    expect(rows).toHaveLength(await plane.db.auditEvent.count());
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    const sealed = rows.filter(({ seq }) => seq !== null);
    expect(sealed.map(({ seq }) => Number(seq))).toEqual(sealed.map((_row, index) => index + 1));
    expect(rows.slice(sealed.length).every(({ resourceId }) => resourceId === "young")).toBe(true);
    expect(await audit.verify()).toMatchObject({ problems: [], uncovered: 1500 });
  });

  test("shows no number behind one that it cannot show, when rows are sealed meanwhile", async () => {
    const seen: (bigint | null)[] = [];
    for await (const { seq } of allAuditEvents(plane.db, null)) {
      if (seen.length === 10) await audit.seal();
      seen.push(seq);
    }
    expect(seen.filter((seq) => seq === null)).toHaveLength(1500);
    expect(await audit.verify()).toMatchObject({ problems: [], uncovered: 0 });
  });
});
