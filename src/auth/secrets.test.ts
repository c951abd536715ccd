import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openControlPlane } from "../../test/fixtures.ts";
import { openScratch } from "../../test/openssl.ts";
import { ensureAdminKey } from "./admin-key.ts";
import { isSecret, newSecret, parseToken } from "./secrets.ts";

describe("a secret", () => {
  test("is known by its hash", () => {
    const { token, hash } = newSecret("ak-one");
    const parsed = parseToken(token, "ak");
    expect(parsed?.id).toBe("ak-one");
    expect(isSecret(parsed?.secret ?? "", hash)).toBe(true);
    expect(isSecret(parseToken(newSecret("ak-one").token, "ak")?.secret ?? "", hash)).toBe(false);
    expect(isSecret("", hash)).toBe(false);
    expect(isSecret(parsed?.secret ?? "", new Uint8Array())).toBe(false);
  });

  test.each([
    "",
    "ak-one",
    "ak-one_",
    "ak-one_short",
    `jt-one_${"A".repeat(43)}`,
    `AK-one_${"A".repeat(43)}`,
  ])("is not read from %j", (text) => {
    expect(parseToken(text, "ak")).toBeNull();
  });
});

describe("the admin's key", () => {
  test("is made once, in a file for its owner only, and written down without the secret", async () => {
    await using plane = await openControlPlane();
    await using scratch = await openScratch();
    const directory = join(scratch.path("."));
    await Promise.all([ensureAdminKey(plane.db, directory), ensureAdminKey(plane.db, directory)]);
    const path = scratch.path("admin.key");
    const token = await readFile(path, "utf8");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const [row, second] = await plane.db.apiKey.findMany({ where: { role: "admin" } });
    expect(second).toBeUndefined();
    const parsed = parseToken(token.trim(), "ak");
    expect(parsed?.id).toBe(row?.id);
    expect(isSecret(parsed?.secret ?? "", row?.secretHash ?? new Uint8Array())).toBe(true);
    const event = await plane.db.auditEvent.findFirstOrThrow({ where: { action: "api_key_created" } });
    expect(JSON.stringify(event)).not.toContain(parsed?.secret);
    await ensureAdminKey(plane.db, directory);
    expect(await readFile(path, "utf8")).toBe(token);
  });
});
