import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openControlPlane } from "../../test/fixtures.ts";
import { openScratch } from "../../test/openssl.ts";
import { isSecret, parseToken } from "../auth/secrets.ts";
import { ensureAdminKey } from "./first-key.ts";

describe("the admin's key", () => {
  test("is made once, in a file for its owner only, and written down without the secret", async () => {
    await using plane = await openControlPlane();
    await using scratch = await openScratch();
    const directory = join(scratch.path("."));
    await Promise.all([
      ensureAdminKey(plane.db, directory, plane.time.now),
      ensureAdminKey(plane.db, directory, plane.time.now),
    ]);
    const path = scratch.path("admin.key");
    const token = await readFile(path, "utf8");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const [row, second] = await plane.db.apiKey.findMany({ where: { role: "admin" } });
    expect(second).toBeUndefined();
    const parsed = parseToken(token.trim(), "ak");
    expect(parsed?.id).toBe(row?.id);
    expect(isSecret(parsed?.secret ?? "", row?.secretHash ?? new Uint8Array())).toBe(true);
    const event = await plane.db.auditEvent.findFirstOrThrow({ where: { action: "api_key_created" } });
    expect(JSON.stringify(event.details)).not.toContain(parsed?.secret);
    await ensureAdminKey(plane.db, directory, plane.time.now);
    expect(await readFile(path, "utf8")).toBe(token);
  });

  test("is made again at a start that finds no admin key in force", async () => {
    await using plane = await openControlPlane();
    await using scratch = await openScratch();
    const start = async () => {
      await ensureAdminKey(plane.db, scratch.path("."), plane.time.now);
      return (await readFile(scratch.path("admin.key"), "utf8")).split("_")[0] ?? "";
    };
    const first = await start();
    await plane.db.apiKey.update({ where: { id: first }, data: { expiresAt: plane.time.now } });
    const second = await start();
    expect(second).not.toBe(first);
    await plane.db.apiKey.update({ where: { id: second }, data: { issuerIds: ["iss-local"] } });
    expect(await start()).not.toBe(second);
  });
});
