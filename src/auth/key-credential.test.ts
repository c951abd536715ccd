import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiKey } from "#gen/prisma/client.ts";
import { type ControlPlane, hourMs, openControlPlane, refusalOf } from "../../test/fixtures.ts";
import { newId } from "../platform/ids.ts";
import { byApiKey } from "./key-credential.ts";
import { newSecret } from "./secrets.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

async function newKey(changes: Partial<ApiKey> = {}): Promise<{ id: string; token: string }> {
  const id = newId("ak");
  const { token, hash } = newSecret(id);
  await plane.db.apiKey.create({ data: { id, role: "viewer", secretHash: hash, ...changes } });
  return { id, token };
}

const later = (ms: number) => new Date(plane.time.now.getTime() + ms);
const enter = (token: string, now = plane.time.now) => byApiKey(plane.db, `Bearer ${token}`, now);

describe("an API key", () => {
  test("says its role and what it is restricted to", async () => {
    const { id, token } = await newKey({ teamIds: ["t-a"], issuerIds: ["iss-a", "iss-b"] });
    const grants = { teamIds: ["t-a"], issuerIds: ["iss-a", "iss-b"] };
    expect(await enter(token)).toEqual({ kind: "operator", id, role: "viewer", grants });
  });

  test("holds until the moment at which it expires", async () => {
    const { token } = await newKey({ expiresAt: later(hourMs) });
    await expect(enter(token, later(hourMs - 1))).resolves.toMatchObject({ role: "viewer" });
    expect(await refusalOf(enter(token, later(hourMs)))).toMatchObject({
      code: "Unauthenticated",
      reason: "KEY_EXPIRED",
    });
  });

  test("is refused from the moment at which it is revoked", async () => {
    const { id, token } = await newKey();
    await enter(token);
    await plane.db.apiKey.update({ where: { id }, data: { revokedAt: plane.time.now } });
    expect(await refusalOf(enter(token))).toMatchObject({ reason: "KEY_REVOKED" });
  });

  test("that ended says so to its holder only", async () => {
    const { id } = await newKey({ revokedAt: plane.time.now });
    const refusal = await refusalOf(enter(`${id}_${"A".repeat(43)}`));
    expect(refusal).toMatchObject({ reason: "", message: "the API key is unknown or wrong" });
  });

  test("takes its old secret until the overlap ends", async () => {
    const old = newSecret("ak-rotated");
    const { token } = await newKey({
      id: "ak-rotated",
      oldSecretHash: old.hash,
      oldSecretEndsAt: later(hourMs),
    });
    const renewed = { ...newSecret("ak-rotated") };
    await plane.db.apiKey.update({ where: { id: "ak-rotated" }, data: { secretHash: renewed.hash } });
    await expect(enter(old.token, later(hourMs - 1))).resolves.toMatchObject({ id: "ak-rotated" });
    await expect(enter(renewed.token, later(2 * hourMs))).resolves.toMatchObject({ id: "ak-rotated" });
    for (const [secret, now] of [
      [old.token, later(hourMs)],
      [token, plane.time.now],
    ] as const) {
      expect(await refusalOf(enter(secret, now))).toMatchObject({
        message: "the API key is unknown or wrong",
      });
    }
  });

  test("of an agent ends when the secret that was used ends", async () => {
    const agentId = newId("ag");
    await plane.db.agent.create({ data: { id: agentId, name: "a" } });
    const old = newSecret("ak-agent");
    const current = newSecret("ak-agent");
    await newKey({
      id: "ak-agent",
      role: "agent",
      agentId,
      secretHash: current.hash,
      oldSecretHash: old.hash,
      oldSecretEndsAt: later(hourMs),
      expiresAt: later(3 * hourMs),
    });
    const endOf = async (token: string) => {
      const principal = await enter(token);
      return principal.kind === "agent" ? principal.credential.notAfter : undefined;
    };
    expect(await endOf(old.token)).toEqual(later(hourMs));
    expect(await endOf(current.token)).toEqual(later(3 * hourMs));
  });

  test("notes its use to five minutes", async () => {
    const { id, token } = await newKey();
    const usedAt = async (now: Date) => {
      await enter(token, now);
      return (await plane.db.apiKey.findUniqueOrThrow({ where: { id } })).lastUsedAt;
    };
    expect(await usedAt(later(0))).toEqual(later(0));
    expect(await usedAt(later(299_999))).toEqual(later(0));
    expect(await usedAt(later(300_000))).toEqual(later(300_000));
  });
});
