import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { debian13Program } from "./debian13.ts";

test("programs of Debian 13 run beside the system's", () => {
  const { status, stdout } = spawnSync(debian13Program("pebble"), ["-version"], { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("Pebble version") });
  expect(debian13Program("pebble")).not.toBe("/usr/bin/pebble");
});
