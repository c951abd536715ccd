import { afterAll, beforeAll, expect, test } from "vitest";
import { type ControlPlane, openControlPlane } from "../../test/fixtures.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
  const rows = ["a", "b"].map((id) => ({ id: `t-${id}`, name: id, description: "" }));
  await plane.db.team.createMany({ data: rows });
});
afterAll(() => plane[Symbol.asyncDispose]());

test("a transaction that ends a deadlock runs again, by whichever way it came to lock", async () => {
  const { db } = plane;
  let runs = 0;
  let bothHold: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    bothHold = resolve;
  });
  const describeBoth = (first: string, second: string, text: string) =>
    db.$transaction(async (tx) => {
      runs += 1;
      await tx.$queryRaw`SELECT 1 FROM teams WHERE id = ${first} FOR UPDATE`;
      if (runs === 2) bothHold();
      await held;
      await tx.$executeRaw`UPDATE teams SET description = description || ${text} WHERE id IN (${first}, ${second})`;
    });
  await Promise.all([describeBoth("t-a", "t-b", "1"), describeBoth("t-b", "t-a", "2")]);
  expect(runs).toBeGreaterThan(2);
  const rows = await db.team.findMany();
  expect(rows.map(({ description }) => [...description].sort().join(""))).toEqual(["12", "12"]);
});

test("a transaction that fails for another reason runs once", async () => {
  let runs = 0;
  const broken = plane.db.$transaction(async () => {
    runs += 1;
    throw new Error("no");
  });
  await expect(broken).rejects.toThrow("no");
  expect(runs).toBe(1);
});
