import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockDirectory } from "./directory-lock.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "certctl-lock-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("the lock of a directory", () => {
  test("keeps a second holder out until the first lets go", async () => {
    {
      await using _first = await lockDirectory(directory);
      const second = lockDirectory(directory);
      await expect(second).rejects.toThrow(`${directory} is in use by another certctl process`);
    }
    await using again = await lockDirectory(directory);
    expect(again).toBeDefined();
  });

  test("is of the directory, not of its name", async () => {
    await using _first = await lockDirectory(directory);
    const link = `${directory}-link`;
    await symlink(directory, link);
    try {
      await expect(lockDirectory(link)).rejects.toThrow("is in use");
    } finally {
      await rm(link);
    }
    await rename(directory, `${directory}-moved`);
    await rename(`${directory}-moved`, directory);
    await expect(lockDirectory(directory)).rejects.toThrow("is in use");
  });

  test("ends with the process that holds it, however that dies", async () => {
    const module = new URL("directory-lock.ts", import.meta.url).href;
    const code = `const { lockDirectory } = await import(${JSON.stringify(module)});
      await lockDirectory(${JSON.stringify(directory)});
      console.log("locked"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code]);
    await once(child.stdout, "data");
    await expect(lockDirectory(directory)).rejects.toThrow("is in use");

    child.kill("SIGKILL");
    await once(child, "exit");
    await using after = await lockDirectory(directory);
    expect(after).toBeDefined();
  });

  test("does not keep the process alive", async () => {
    const module = new URL("directory-lock.ts", import.meta.url).href;
    const code = `const { lockDirectory } = await import(${JSON.stringify(module)});
      await lockDirectory(${JSON.stringify(directory)});`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code]);
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
