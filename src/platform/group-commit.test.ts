import { expect, test } from "vitest";
import { groupCommit, type Outcome } from "./group-commit.ts";

/** Commits when it is told to, and keeps which items went together. */
function recorder() {
  const groups: number[][] = [];
  const open: (() => void)[] = [];
  const commit = async (items: readonly number[]): Promise<Outcome<string>[]> => {
    groups.push([...items]);
    await new Promise<void>((resolve) => open.push(resolve));
    if (items.length > 1 && items.includes(13)) throw new Error("the group is refused");
    if (items[0] === 13) throw new Error("13 is refused");
    return items.map((item) =>
      item < 0 ? { error: new Error(`${item} is wrong`) } : { result: `done ${item}` },
    );
  };
  const next = async () => {
    await expect.poll(() => open.length).toBeGreaterThan(0);
    open.shift()?.();
  };
  return { groups, commit, next };
}

test("what comes while a group is committed makes up the next one", async () => {
  const { groups, commit, next } = recorder();
  const add = groupCommit(commit, { mostItems: 3, mostGroups: 1 });
  const first = add(1);
  await expect.poll(() => groups).toEqual([[1]]);
  const rest = [2, 3, 4, 5].map(add);
  await next();
  expect(await first).toBe("done 1");
  await next();
  await next();
  expect(await Promise.all(rest)).toEqual(["done 2", "done 3", "done 4", "done 5"]);
  expect(groups).toEqual([[1], [2, 3, 4], [5]]);
});

test("an item that is refused by itself leaves the others alone", async () => {
  const { groups, commit, next } = recorder();
  const add = groupCommit(commit, { mostItems: 9, mostGroups: 1 });
  const all = [1, -2, 3].map((item) => add(item).catch((error: Error) => error.message));
  await next();
  expect(await Promise.all(all)).toEqual(["done 1", "-2 is wrong", "done 3"]);
  expect(groups).toHaveLength(1);
});

test("a group that is refused as a whole is committed item by item", async () => {
  const { groups, commit, next } = recorder();
  const add = groupCommit(commit, { mostItems: 9, mostGroups: 1 });
  const all = [1, 13, 3].map((item) => add(item).catch((error: Error) => error.message));
  for (let turn = 0; turn < 4; turn += 1) await next();
  expect(await Promise.all(all)).toEqual(["done 1", "13 is refused", "done 3"]);
  expect(groups).toEqual([[1, 13, 3], [1], [13], [3]]);
});

test("several groups are under way at once, as many as may be", async () => {
  const { groups, commit, next } = recorder();
  const add = groupCommit(commit, { mostItems: 1, mostGroups: 2 });
  const all = [1, 2, 3].map(add);
  await expect.poll(() => groups).toEqual([[1], [2]]);
  await next();
  await next();
  await next();
  expect(await Promise.all(all)).toEqual(["done 1", "done 2", "done 3"]);
});
