import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

test("waits grow from half a second to a quarter of a minute, and are spread", () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 20].map((failures) => backoffMs(failures, 1));
  expect(longest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  expect(backoffMs(3, 0)).toBe(1_000);
  expect(backoffMs(0, 1)).toBe(500);
});
