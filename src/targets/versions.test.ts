import { mkdir, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../test/site.ts";
import { newBundle } from "../../test/stage.ts";
import { pairLayout } from "./layout.ts";
import { forgetKey, lastGood, linked, point, type Site, settle, writeVersion } from "./versions.ts";

const pair = { certificatePem: "certificate", keyPem: "key" };

const layout = (key: string) => pairLayout({ certificate: "fullchain.pem", key });

function siteAt(directory: string): Site {
  return { directory, layout: layout("privkey.pem"), owner: null };
}

test("leaves nothing behind when a version cannot be written", async () => {
  await using directory = await temporaryDirectory();
  const site = { ...siteAt(directory.path), layout: layout("fullchain.pem") };
  await expect(writeVersion(site, newBundle("key-1"), pair)).rejects.toThrow(/EEXIST/);
  expect(await readdir(join(site.directory, "versions"))).toEqual([]);
});

test.each(["../key", "a/b", "a.b", ""])("refuses %j as part of a file name", async (keyId) => {
  await using directory = await temporaryDirectory();
  await expect(writeVersion(siteAt(directory.path), newBundle(keyId), pair)).rejects.toThrow(/file name/);
});

test("refuses a link that is none or leads out of versions", async () => {
  await using directory = await temporaryDirectory();
  const site = siteAt(directory.path);
  for (const [name, target] of [
    ["current", "/etc"],
    ["previous", "versions/.."],
  ] as const) {
    await symlink(target, join(site.directory, name));
    await expect(linked(site, name)).rejects.toThrow(/not into versions/);
  }
  await using other = await temporaryDirectory();
  await mkdir(join(other.path, "current"));
  await expect(linked(siteAt(other.path), "current")).rejects.toThrow(/has to be a symbolic link/);
});

test("refuses versions that are a link themselves", async () => {
  await using directory = await temporaryDirectory();
  await symlink("/tmp", join(directory.path, "versions"));
  const written = writeVersion(siteAt(directory.path), newBundle("key-1"), pair);
  await expect(written).rejects.toThrow(/is not a directory/);
});

test("replaces a link whatever a broken-off call left", async () => {
  await using directory = await temporaryDirectory();
  const site = siteAt(directory.path);
  await writeFile(join(site.directory, ".current.next"), "");
  await point(site, "current", "a");
  await point(site, "current", "b");
  expect(await readlink(join(site.directory, "current"))).toBe("versions/b");
});

test("goes back to the owner's version, to a proven one, or past one that was not proven", async () => {
  await using directory = await temporaryDirectory();
  const site = siteAt(directory.path);
  expect(await lastGood(site)).toBeNull();
  await point(site, "current", "placeholder");
  expect(await lastGood(site)).toBe("placeholder");
  const first = await writeVersion(site, newBundle("key-1"), pair);
  await point(site, "previous", "placeholder");
  await point(site, "current", first);
  expect(await lastGood(site)).toBe("placeholder");
  await settle(site, first);
  expect(await lastGood(site)).toBe(first);
});

test("forgets a key in every version but the current one", async () => {
  await using directory = await temporaryDirectory();
  const site = siteAt(directory.path);
  const kept = await writeVersion(site, newBundle("key-1"), pair);
  const other = await writeVersion(site, newBundle("key-10"), pair);
  const before = await writeVersion(site, newBundle("key-1"), pair);
  await point(site, "previous", before);
  await point(site, "current", kept);
  expect(await forgetKey(site, "key-1")).toBe(false);
  expect((await readdir(join(site.directory, "versions"))).sort()).toEqual([kept, other].sort());
  expect(await linked(site, "previous")).toBeNull();
  await point(site, "current", other);
  expect(await forgetKey(site, "key-1")).toBe(true);
});
