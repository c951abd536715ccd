import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWitness } from "./witness.ts";

let directory: string;
let said: string[];
const open = () => {
  const sink = new Writable({
    write(line, _encoding, done) {
      said.push(String(line));
      done();
    },
  });
  return openWitness(directory, pino(sink));
};
const kept = async () => (await readFile(join(directory, "audit-checkpoint"), "utf8")).trim();
const at = (seq: number, letter: string) => `${seq}:${letter.repeat(64)}`;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "certctl-witness-"));
  said = [];
});
afterEach(() => rm(directory, { recursive: true }));

test("the newest checkpoint is kept, over restarts", async () => {
  const witness = await open();
  await witness.see("");
  await witness.see("nonsense");
  await witness.see(at(5, "a"));
  await witness.see(at(9, "b"));
  expect(await kept()).toBe(at(9, "b"));
  await (await open()).see(at(12, "c"));
  expect(await kept()).toBe(at(12, "c"));
  expect(said).toEqual([]);
});

test("an audit that goes back or says something else is told of, once, and what was seen stays", async () => {
  await (await open()).see(at(9, "b"));
  const witness = await open();
  for (const other of [at(8, "a"), at(8, "a"), at(9, "c"), at(9, "b")]) await witness.see(other);
  expect(await kept()).toBe(at(9, "b"));
  expect(said.map((line) => JSON.parse(line))).toMatchObject([
    { level: 50, expect: at(9, "b"), given: at(8, "a") },
    { level: 50, expect: at(9, "b"), given: at(9, "c") },
  ]);
});
