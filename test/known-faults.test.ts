import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("every known fault has a test that is there", () => {
  const docs = join(import.meta.dirname, "..", "docs");
  const text = readFileSync(join(docs, "known-faults.md"), "utf8");
  const named = Array.from(text.matchAll(/\[([^\]]+)\]\((\.\.\/[^)]+)\)/g), ([, title = "", path = ""]) => ({
    title,
    path,
  }));
  const faults = new Set(Array.from(text.matchAll(/^\| (\d+) \|/gm), ([, number]) => Number(number)));
  expect([...faults]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const missing = named.filter(
    ({ title, path }) => !readFileSync(join(docs, path), "utf8").includes(`"${title}"`),
  );
  expect(missing).toEqual([]);
});
