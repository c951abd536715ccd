import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { axisOf, shadeOf } from "./scale.ts";

describe("an axis", () => {
  test.each([
    [0, [1]],
    [1, [1]],
    [3, [1, 2, 3]],
    [87, [50, 100]],
    [300, [100, 200, 300]],
    [1_204, [500, 1_000, 1_500]],
  ])("to %i has the lines %j", (most, lines) => {
    expect(axisOf(most).lines).toEqual(lines);
  });

  test("reaches over every value with at most three whole lines, the last at its end", () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000 }), (most) => {
        const { end, lines } = axisOf(most);
        expect(end).toBeGreaterThanOrEqual(most);
        expect(lines.length).toBeLessThanOrEqual(3);
        expect(lines.at(-1)).toBe(end);
        expect(lines.every(Number.isInteger)).toBe(true);
      }),
    );
  });
});

test("a shade tells nothing from little, and the most from the rest", () => {
  expect([0, 1, 25, 26, 99, 100].map((value) => shadeOf(value, 100))).toEqual([0, 1, 1, 2, 4, 4]);
  expect(shadeOf(0, 0)).toBe(0);
});
