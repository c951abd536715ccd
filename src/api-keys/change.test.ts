import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlPlane, hourMs, openControlPlane, operator, refusalOf } from "../../test/fixtures.ts";
import { byApiKey } from "../auth/key-credential.ts";
import { expireApiKey, revokeApiKey, rotateApiKey } from "./change.ts";
import { createApiKey } from "./create.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const make = (role: "admin" | "viewer", issuerIds: string[] = []) =>
  createApiKey(plane, operator, {
    id: "",
    name: "x",
    role,
    agentId: "",
    teamIds: [],
    issuerIds,
    expiresAt: null,
  });
const later = (ms: number) => new Date(plane.time.now.getTime() + ms);
const enter = (token: string, now = plane.time.now) => byApiKey(plane.db, `Bearer ${token}`, now);
const actionsOf = async (resourceId: string) =>
  (await plane.db.auditEvent.findMany({ where: { resourceId } })).map(({ action }) => action).sort();

describe("rotating a key", () => {
  test("ends the old secret at once", async () => {
    const { key, token } = await make("viewer");
    const rotated = await rotateApiKey(plane, operator, { id: key.id, overlapSeconds: 0 });
    expect(await refusalOf(enter(token))).toMatchObject({ code: "Unauthenticated" });
    await expect(enter(rotated.token)).resolves.toMatchObject({ id: key.id });
    expect(await actionsOf(key.id)).toEqual(["api_key_created", "api_key_rotated"]);
  });

  test("keeps the old secret for the overlap, and only the last one", async () => {
    const { key, token } = await make("viewer");
    const second = await rotateApiKey(plane, operator, { id: key.id, overlapSeconds: 60 });
    await expect(enter(token, later(59_999))).resolves.toMatchObject({ id: key.id });
    expect(await refusalOf(enter(token, later(60_000)))).toMatchObject({ code: "Unauthenticated" });
    const third = await rotateApiKey(plane, operator, { id: key.id, overlapSeconds: 60 });
    expect(await refusalOf(enter(token))).toMatchObject({ code: "Unauthenticated" });
    for (const { token: alive } of [second, third])
      await expect(enter(alive)).resolves.toMatchObject({ id: key.id });
  });

  test("is refused for one that has ended", async () => {
    const { key } = await make("viewer");
    await expireApiKey(plane, operator, { id: key.id, expiresAt: null });
    const rotate = () => rotateApiKey(plane, operator, { id: key.id, overlapSeconds: 0 });
    expect(await refusalOf(rotate())).toMatchObject({ reason: "KEY_EXPIRED" });
    await revokeApiKey(plane, operator, key.id);
    expect(await refusalOf(rotate())).toMatchObject({ reason: "KEY_REVOKED" });
  });
});

describe("a key's expiry", () => {
  test("is set ahead, or to now", async () => {
    const { key, token } = await make("viewer");
    await expireApiKey(plane, operator, { id: key.id, expiresAt: later(hourMs) });
    await expect(enter(token, later(hourMs - 1))).resolves.toBeDefined();
    await expireApiKey(plane, operator, { id: key.id, expiresAt: null });
    expect(await refusalOf(enter(token))).toMatchObject({ reason: "KEY_EXPIRED" });
    const events = await plane.db.auditEvent.findMany({
      where: { resourceId: key.id, action: "api_key_expiry_set" },
    });
    expect(events.map(({ details }) => details)).toContainEqual({
      before: { expires_at: null },
      after: { expires_at: later(hourMs).toISOString() },
    });
  });
});

describe("revoking a key", () => {
  test("ends it for good, and again changes nothing", async () => {
    const { key, token } = await make("viewer");
    await revokeApiKey(plane, operator, key.id);
    await revokeApiKey(plane, operator, key.id);
    expect(await refusalOf(enter(token))).toMatchObject({ reason: "KEY_REVOKED" });
    expect(await actionsOf(key.id)).toEqual(["api_key_created", "api_key_revoked"]);
  });

  test("ends the secret before the last rotation, too", async () => {
    const { key, token } = await make("viewer");
    await rotateApiKey(plane, operator, { id: key.id, overlapSeconds: 60 });
    await revokeApiKey(plane, operator, key.id);
    expect(await refusalOf(enter(token))).toMatchObject({ code: "Unauthenticated" });
  });

  test("outside the caller's grants finds none", async () => {
    const { key } = await make("viewer");
    const restricted = { ...operator, grants: { teamIds: [], issuerIds: ["iss-local"] } };
    expect(await refusalOf(revokeApiKey(plane, restricted, key.id))).toMatchObject({ code: "NotFound" });
    expect(await refusalOf(revokeApiKey(plane, operator, "ak-none"))).toMatchObject({ code: "NotFound" });
  });
});

describe("the last admin key", () => {
  test("is neither revoked nor expired, whoever else is there", async () => {
    const { key } = await make("admin");
    await make("viewer");
    await make("admin", ["iss-local"]);
    const gone = await make("admin");
    await revokeApiKey(plane, operator, gone.key.id);
    const refusal = { code: "FailedPrecondition", reason: "LAST_ADMIN_KEY" };
    expect(await refusalOf(revokeApiKey(plane, operator, key.id))).toMatchObject(refusal);
    const expire = expireApiKey(plane, operator, { id: key.id, expiresAt: null });
    expect(await refusalOf(expire)).toMatchObject(refusal);
    await expect(make("admin").then(() => revokeApiKey(plane, operator, key.id))).resolves.toBeUndefined();
  });

  test("survives two admins who revoke each other at once", async () => {
    const where = { role: "admin", revokedAt: null, issuerIds: { isEmpty: true } };
    const [one, other] = [await make("admin"), await make("admin")];
    const rest = { ...where, id: { notIn: [one.key.id, other.key.id] } };
    await plane.db.apiKey.updateMany({ where: rest, data: { revokedAt: plane.time.now } });
    const ends = await Promise.allSettled(
      [one, other].map(({ key }) => revokeApiKey(plane, operator, key.id)),
    );
    expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await plane.db.apiKey.count({ where })).toBe(1);
  });
});
