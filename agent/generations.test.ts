import { stat, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { openScratch } from "../test/openssl.ts";
import { openGenerations } from "./generations.ts";

test("a target that was never deployed to is at generation 0", async () => {
  await using scratch = await openScratch();
  const generations = await openGenerations(scratch.path("."));
  expect(generations.applied("tgt-a")).toBe(0);
});

test("what was applied is known after a restart, for each target by itself", async () => {
  await using scratch = await openScratch();
  const generations = await openGenerations(scratch.path("."));
  await generations.record("tgt-a", 3);
  await generations.record("tgt-b", 1);
  const restarted = await openGenerations(scratch.path("."));
  expect([restarted.applied("tgt-a"), restarted.applied("tgt-b")]).toEqual([3, 1]);
  expect((await stat(scratch.path("generations.json"))).mode & 0o777).toBe(0o600);
});

test("an older deployment that comes late does not take the newest one's place", async () => {
  await using scratch = await openScratch();
  const generations = await openGenerations(scratch.path("."));
  await generations.record("tgt-a", 3);
  await generations.record("tgt-a", 2);
  expect(generations.applied("tgt-a")).toBe(3);
  expect((await openGenerations(scratch.path("."))).applied("tgt-a")).toBe(3);
});

test("targets recorded at the same moment are all kept", async () => {
  await using scratch = await openScratch();
  const generations = await openGenerations(scratch.path("."));
  const ids = Array.from({ length: 200 }, (_, index) => `tgt-${index}`);
  await Promise.all(ids.map((id) => generations.record(id, 7)));
  const restarted = await openGenerations(scratch.path("."));
  expect(ids.map((id) => restarted.applied(id))).toEqual(ids.map(() => 7));
});

test("a file that cannot be read is an error, not a fresh start", async () => {
  await using scratch = await openScratch();
  await writeFile(scratch.path("generations.json"), "{");
  await expect(openGenerations(scratch.path("."))).rejects.toThrow("JSON");
});
