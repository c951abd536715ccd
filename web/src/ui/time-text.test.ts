import { describe, expect, test } from "vitest";
import { countText, durationText, elapsedText, exactText, relativeText } from "./time-text.ts";

const day = 86_400_000;

describe("time text", () => {
  test.each([
    [0, "0 s"],
    [340, "340 ms"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3 * 3_600_000, "3 h"],
    [day, "1 d"],
    [45 * day, "45 d"],
    [90 * day, "3 mo"],
    [800 * day, "2 y"],
    [-9 * day, "9 d"],
  ])("says %d ms as %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  test("says what is to come and what was", () => {
    const now = new Date("2026-11-25T12:00:00Z");
    expect(relativeText(new Date("2026-12-04T12:00:00Z"), now)).toBe("in 9 d");
    expect(relativeText(new Date("2026-11-22T12:00:00Z"), now)).toBe("3 d ago");
    expect(relativeText(now, now)).toBe("now");
  });

  test("keeps the fraction of what is short", () => {
    expect([3, 410, 12_300, 65_000].map(elapsedText)).toEqual(["<0.01 s", "0.41 s", "12 s", "1 min 5 s"]);
  });

  test("writes exact times in UTC with the zone named", () => {
    expect(exactText(new Date("2026-11-23T22:41:05.123Z"), "utc")).toBe("2026-11-23 22:41:05 UTC");
    expect(exactText(new Date("2026-11-23T22:41:05.123Z"), "local")).toMatch(
      /^2026-11-2[34] \d\d:41:05 [+-]\d\d:\d\d$/,
    );
  });

  test("counts with a noun", () => {
    expect(countText(1, "certificate")).toBe("1 certificate");
    expect(countText(12_044, "certificate")).toBe("12,044 certificates");
    expect(countText(2, "policy", "policies")).toBe("2 policies");
  });
});
