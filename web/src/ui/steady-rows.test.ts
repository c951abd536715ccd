import { describe, expect, test } from "vitest";
import { differences, inPlace } from "./steady-rows.ts";

const keyOf = ({ id }: { id: string }) => id;

describe("steady rows", () => {
  test("draws a change in place, and keeps what is gone until it is let go", () => {
    const shown = [
      { id: "a", state: 1 },
      { id: "b", state: 1 },
    ];
    const next = [
      { id: "c", state: 1 },
      { id: "b", state: 2 },
    ];
    expect(inPlace(shown, next, keyOf)).toEqual([
      { id: "a", state: 1 },
      { id: "b", state: 2 },
    ]);
  });

  test("is the same list where nothing changed", () => {
    const shown = [{ id: "a" }];
    expect(inPlace(shown, shown, keyOf)).toBe(shown);
  });

  test("counts what came, went and moved", () => {
    expect(differences(["a", "b"], ["a", "b"])).toBe(0);
    expect(differences(["a", "b"], ["c", "a", "b"])).toBe(1);
    expect(differences(["a", "b"], ["b"])).toBe(1);
    expect(differences(["a", "b"], ["b", "a"])).toBe(2);
  });
});
