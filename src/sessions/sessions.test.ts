import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  hourMs,
  newAgent,
  openControlPlane,
  operator,
  refusalOf,
} from "../../test/fixtures.ts";
import { expireApiKey, revokeApiKey, rotateApiKey } from "../api-keys/change.ts";
import { createApiKey } from "../api-keys/create.ts";
import { bySession, idleMs } from "../auth/session-credential.ts";
import { beginSession, lifetimeMs } from "./begin.ts";
import { endSession, pruneSessions } from "./end.ts";

let plane: ControlPlane;
const start = new Date("2030-06-01T12:00:00Z");
beforeAll(async () => {
  plane = await openControlPlane();
});
beforeEach(() => {
  plane.time.now = start;
});
afterAll(() => plane[Symbol.asyncDispose]());

const wanted = { id: "", name: "x", role: "viewer", agentId: "", teamIds: [], issuerIds: [] } as const;
const newKey = (expiresAt: Date | null = null) => createApiKey(plane, operator, { ...wanted, expiresAt });
const begin = (apiKey: string) => beginSession(plane, { apiKey, address: "192.0.2.1", requestId: "req-1" });
const later = (ms: number) => new Date(start.getTime() + ms);
const enter = (token: string, ms = 0, isUse = true) => bySession(plane.db, { token, isUse }, later(ms));
const ended = { code: "Unauthenticated", reason: "SESSION_ENDED" };

async function newSession(expiresAt: Date | null = null) {
  const { key, token: apiKey } = await newKey(expiresAt);
  const { token, operator: principal } = await begin(apiKey);
  return { key, apiKey, token, id: principal.session?.id ?? "" };
}

describe("a session", () => {
  test("stands for its key, with what the key may do now", async () => {
    const { key, token, id } = await newSession();
    const session = { id, expiresAt: later(lifetimeMs), idleEndsAt: later(idleMs) };
    expect(await enter(token)).toEqual({
      kind: "operator",
      id: key.id,
      role: "viewer",
      grants: { teamIds: [], issuerIds: [] },
      session,
    });
    await plane.db.apiKey.update({ where: { id: key.id }, data: { issuerIds: ["iss-local"] } });
    expect(await enter(token)).toMatchObject({ grants: { issuerIds: ["iss-local"] } });
  });

  test("is written down at its beginning and its end, and kept as a hash", async () => {
    const { key, token, id } = await newSession();
    const stored = JSON.stringify(await plane.db.$queryRaw`SELECT * FROM sessions`);
    expect(stored).not.toContain(token.slice(-43));
    await endSession(plane.db, token, "req-2");
    await endSession(plane.db, token, "req-3");
    expect(await refusalOf(enter(token))).toMatchObject(ended);
    const events = await plane.db.auditEvent.findMany({
      where: { resourceId: id },
      orderBy: { position: "asc" },
    });
    expect(events).toMatchObject([
      { actor: key.id, action: "session_begun", details: { address: "192.0.2.1" }, requestId: "req-1" },
      { actor: key.id, action: "session_ended", requestId: "req-2" },
    ]);
    expect(JSON.stringify(events.map(({ details }) => details))).not.toContain(token.slice(-43));
  });

  test("is ended by nobody who does not hold its secret", async () => {
    const { token, id } = await newSession();
    for (const guess of [`${id}_${"A".repeat(43)}`, id, "", token.replace("ss-", "ak-")])
      await endSession(plane.db, guess, "req-2");
    await expect(enter(token)).resolves.toMatchObject({ session: { id } });
    for (const guess of [`${id}_${"A".repeat(43)}`, id, "", `ss-none_${"A".repeat(43)}`])
      expect(await refusalOf(enter(guess))).toMatchObject(ended);
  });

  test("ends when it is not used for half an hour", async () => {
    const { token } = await newSession();
    await enter(token, idleMs - 1);
    await expect(enter(token, 2 * idleMs - 2)).resolves.toBeDefined();
    expect(await refusalOf(enter(token, 3 * idleMs))).toMatchObject(ended);
    expect(await refusalOf(enter(token, 3 * idleMs))).toMatchObject(ended);
  });

  test("is not kept alive by what nobody asked for", async () => {
    const { token } = await newSession();
    await enter(token, idleMs - 1, false);
    expect(await refusalOf(enter(token, idleMs, false))).toMatchObject(ended);
  });

  test("ends after twelve hours however much it is used", async () => {
    const { token } = await newSession();
    for (let ms = 0; ms < lifetimeMs; ms += idleMs / 2) await enter(token, ms);
    expect(await refusalOf(enter(token, lifetimeMs))).toMatchObject(ended);
  });

  test.each([
    ["expired", (id: string) => expireApiKey(plane, operator, { id, expiresAt: null })],
    ["revoked", (id: string) => revokeApiKey(plane, operator, id)],
    ["rotated", (id: string) => rotateApiKey(plane, operator, { id, overlapSeconds: 0 })],
  ])("ends at once when its key is %s", async (_, end) => {
    const { key, token } = await newSession();
    await end(key.id);
    expect(await refusalOf(enter(token))).toMatchObject(ended);
  });

  test("ends with the overlap of a rotation, and with a key's date", async () => {
    const { key, token } = await newSession();
    await rotateApiKey(plane, operator, { id: key.id, overlapSeconds: 60 });
    expect(await enter(token, 59_999)).toMatchObject({ session: { expiresAt: later(60_000) } });
    expect(await refusalOf(enter(token, 60_000))).toMatchObject(ended);
    const short = await newSession(later(hourMs));
    expect(await enter(short.token)).toMatchObject({ session: { expiresAt: later(hourMs) } });
  });

  test("is not begun with a key that is wrong, has ended, or is an agent's", async () => {
    const agent = await newAgent(plane);
    const { token: agentKey } = await createApiKey(plane, operator, {
      ...wanted,
      role: "agent",
      agentId: agent.id,
      expiresAt: null,
    });
    const { key, token: revoked } = await newKey();
    await revokeApiKey(plane, operator, key.id);
    for (const apiKey of [agentKey, revoked, "nothing", `ak-none_${"A".repeat(43)}`])
      expect(await refusalOf(begin(apiKey))).toMatchObject({ code: "Unauthenticated" });
  });
});

describe("sessions that have ended", () => {
  test("are removed, the others are kept", async () => {
    await plane.db.session.deleteMany();
    const kept = await newSession();
    const overlapping = await newSession();
    await rotateApiKey(plane, operator, { id: overlapping.key.id, overlapSeconds: 60 });
    const [idle, old, revoked, expired, rotated] = [
      await newSession(),
      await newSession(),
      await newSession(),
      await newSession(),
      await newSession(),
    ];
    const past = { createdAt: later(-lifetimeMs), expiresAt: start };
    await plane.db.session.update({ where: { id: old.id }, data: past });
    await plane.db.session.update({
      where: { id: idle.id },
      data: { createdAt: later(-idleMs), lastUsedAt: later(-idleMs), expiresAt: later(hourMs) },
    });
    await revokeApiKey(plane, operator, revoked.key.id);
    await expireApiKey(plane, operator, { id: expired.key.id, expiresAt: null });
    await rotateApiKey(plane, operator, { id: rotated.key.id, overlapSeconds: 0 });
    expect(await pruneSessions(plane.db, start)).toBe("5 sessions removed");
    const left = await plane.db.session.findMany({ orderBy: { createdAt: "asc" } });
    expect(left.map(({ id }) => id).sort()).toEqual([kept.id, overlapping.id].sort());
    expect(await pruneSessions(plane.db, later(60_000))).toBe("1 sessions removed");
  });
});
