import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../test/site.ts";
import { trustedDirectory, trustedFile } from "./trusted-path.ts";

/** `<root>/allowed/parent/site` and `<root>/elsewhere`, all of mode 0755. */
async function tree() {
  const directory = await temporaryDirectory();
  const allowed = join(directory.path, "allowed");
  const parent = join(allowed, "parent");
  const site = join(parent, "site");
  const elsewhere = join(directory.path, "elsewhere");
  await mkdir(site, { recursive: true });
  await mkdir(elsewhere);
  for (const path of [allowed, parent, site, elsewhere]) await chmod(path, 0o755);
  return { root: directory.path, allowed, parent, site, elsewhere, ...directory };
}

test("answers the real path of a directory inside an allowed one", async () => {
  await using at = await tree();
  await symlink(at.allowed, join(at.root, "link"));
  expect(await trustedDirectory(join(at.root, "link/parent/site"), [at.allowed])).toBe(at.site);
  expect(await trustedDirectory(at.site, ["/no/such", join(at.root, "link")])).toBe(at.site);
});

test("refuses a directory outside, also one that is reached by a symbolic link or by a like name", async () => {
  await using at = await tree();
  await symlink(at.elsewhere, join(at.parent, "link"));
  await mkdir(`${at.allowed}-not`);
  for (const path of [at.elsewhere, join(at.parent, "link"), `${at.allowed}-not`]) {
    await expect(trustedDirectory(path, [at.allowed])).rejects.toThrow(/none of the allowed directories/);
  }
  await expect(trustedDirectory(at.site, [])).rejects.toThrow(/none of the allowed directories/);
});

test("refuses a directory that is not there", async () => {
  await using at = await tree();
  await expect(trustedDirectory(join(at.site, "gone"), [at.allowed])).rejects.toThrow(/ENOENT/);
});

test.each(["allowed", "parent", "site"] as const)("refuses when others can write to %s", async (part) => {
  await using at = await tree();
  for (const mode of [0o777, 0o775, 0o1777]) {
    await chmod(at[part], mode);
    await expect(trustedDirectory(at.site, [at.allowed])).rejects.toThrow(/can be written by others/);
  }
});

test("refuses when others can exchange the allowed directory itself", async () => {
  await using at = await tree();
  await chmod(at.root, 0o777);
  await expect(trustedDirectory(at.site, [at.allowed])).rejects.toThrow(/can be written by others/);
  await chmod(at.root, 0o1777);
  expect(await trustedDirectory(at.site, [at.allowed])).toBe(at.site);
});

test("takes a file that only its owner can change", async () => {
  await using at = await tree();
  const file = join(at.site, "agent.yaml");
  await writeFile(file, "", { mode: 0o644 });
  expect(await trustedFile(file)).toBe(file);
  await chmod(file, 0o666);
  await expect(trustedFile(file)).rejects.toThrow(/can be written by others \(mode 0666\)/);
});
