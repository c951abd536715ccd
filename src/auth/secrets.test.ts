import { describe, expect, test } from "vitest";
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
