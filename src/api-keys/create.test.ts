import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  hourMs,
  newAgent,
  openControlPlane,
  operator,
  refusalOf,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { byApiKey } from "../auth/key-credential.ts";
import { createApiKey, type NewApiKey } from "./create.ts";
import { findApiKey, listApiKeys } from "./view.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const wanted = (changes: Partial<NewApiKey> = {}): NewApiKey => ({
  id: "",
  name: "ci",
  role: "operator",
  agentId: "",
  teamIds: [],
  issuerIds: [],
  expiresAt: null,
  ...changes,
});
const make = (changes: Partial<NewApiKey> = {}, actor = operator) =>
  createApiKey(plane, actor, wanted(changes));
const later = (ms: number) => new Date(plane.time.now.getTime() + ms);

describe("a new API key", () => {
  test("calls with its role and grants until it expires; its secret is kept as a hash", async () => {
    const { key, token } = await make({ issuerIds: ["iss-local"], expiresAt: later(hourMs) });
    const principal = await byApiKey(plane.db, `Bearer ${token}`, plane.time.now);
    expect(principal).toMatchObject({ id: key.id, role: "operator", grants: { issuerIds: ["iss-local"] } });
    expect(await refusalOf(byApiKey(plane.db, `Bearer ${token}`, later(hourMs)))).toMatchObject({
      reason: "KEY_EXPIRED",
    });
    const kept = JSON.stringify(await plane.db.$queryRaw`SELECT * FROM api_keys`);
    expect(kept).not.toContain(token.slice(-43));
  });

  test("is written down without its secret", async () => {
    const { key, token } = await make({ name: "deploy", expiresAt: later(hourMs) });
    const [event, second] = await plane.db.auditEvent.findMany({ where: { resourceId: key.id } });
    expect(second).toBeUndefined();
    expect(event).toMatchObject({
      actor: operator.id,
      action: "api_key_created",
      details: { after: { name: "deploy", role: "operator", expires_at: later(hourMs).toISOString() } },
    });
    expect(JSON.stringify(event?.details)).not.toContain(token.slice(-43));
  });

  test("for an agent needs one, and no other key has one", async () => {
    const agent = await newAgent(plane);
    const { token } = await make({ role: "agent", agentId: agent.id });
    const principal = await byApiKey(plane.db, `Bearer ${token}`, plane.time.now);
    expect(principal).toMatchObject({ kind: "agent", id: agent.id });
    for (const changes of [
      { role: "agent", agentId: "" },
      { role: "agent", agentId: "ag-none" },
      { role: "viewer", agentId: agent.id },
    ] as const) {
      expect(await refusalOf(make(changes))).toMatchObject({ code: "InvalidArgument", fields: ["agent_id"] });
    }
  });

  test("is refused with every mistake named", async () => {
    const refusal = await refusalOf(make({ issuerIds: ["iss-local", "iss-none"], expiresAt: later(0) }));
    expect(refusal).toMatchObject({ fields: ["issuer_ids[1]", "expires_at"] });
    expect(await refusalOf(make({ role: "auditor", issuerIds: ["iss-local"] }))).toMatchObject({
      fields: ["issuer_ids"],
    });
    await make({ id: "ak-twice" });
    expect(await refusalOf(make({ id: "ak-twice" }))).toMatchObject({ code: "AlreadyExists" });
  });

  test("never gets more than its maker holds", async () => {
    const restricted = { ...operator, grants: { teamIds: [], issuerIds: ["iss-local"] } };
    expect(await refusalOf(make({}, restricted))).toMatchObject({
      code: "PermissionDenied",
      message: expect.stringContaining("cannot grant more than it holds"),
    });
    await expect(make({ issuerIds: ["iss-local"] }, restricted)).resolves.toBeDefined();
  });
});

describe("the keys that are shown", () => {
  const list = (grants = unrestricted, sort = "", filter = {}) =>
    listApiKeys(plane.db, grants, {
      page: 1,
      perPage: 100,
      sort,
      cursor: "",
      filter: { roles: [], statuses: [], agentId: "", ...filter },
      now: plane.time.now,
    });

  test("are those that the grants cover", async () => {
    const own = await make({ name: "own", issuerIds: ["iss-local"] });
    const all = await make({ name: "all" });
    const grants = { teamIds: [], issuerIds: ["iss-local"] };
    const { rows } = await list(grants);
    expect(rows.map(({ id }) => id)).toContain(own.key.id);
    expect(rows.map(({ id }) => id)).not.toContain(all.key.id);
    expect(await findApiKey(plane.db, grants, all.key.id, plane.time.now)).toBeNull();
    expect(await findApiKey(plane.db, unrestricted, all.key.id, plane.time.now)).not.toBeNull();
  });

  test("are filtered by role, status and agent, and sorted by what is asked for", async () => {
    const agent = await newAgent(plane);
    const ended = await make({ role: "viewer", name: "aaa", expiresAt: later(1) });
    const revoked = await make({ role: "viewer", name: "zzz" });
    await plane.db.apiKey.update({ where: { id: revoked.key.id }, data: { revokedAt: plane.time.now } });
    plane.time.now = later(1);
    const viewers = await list(unrestricted, "", { roles: ["viewer"] });
    expect(viewers.rows).toMatchObject([{ id: ended.key.id, status: "Expired" }]);
    const gone = await list(unrestricted, "", { roles: ["viewer"], statuses: ["Revoked", "Expired"] });
    expect(gone.total).toBe(2);
    expect((await list(unrestricted, "", { agentId: agent.id })).rows).toMatchObject([{ role: "agent" }]);
    const names = (await list(unrestricted, "name")).rows.map(({ name }) => name);
    expect(names[0]).toBe("aaa");
    const ends = (await list(unrestricted, "expires_at")).rows.map(({ expiresAt }) => expiresAt);
    expect(ends.at(-1)).toBeNull();
  });
});
