import { randomBytes } from "node:crypto";
import {
  access,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Layout } from "./layout.ts";
import type { Pair } from "./pair.ts";
import type { Bundle } from "./target.ts";

/**
 * A directory that certctl keeps:
 *
 *     versions/<key id>.<fingerprint>.<random>/   the layout's files and, once it was seen on the wire, `proven`
 *     current  -> versions/…                      what the server reads
 *     previous -> versions/…                      what was current before
 *     <watched> -> current/<watched>              for a server that watches for that name
 *
 * Versions with other names are the owner's and never removed.
 */
export interface Site {
  /** A real path. */
  directory: string;
  layout: Layout;
  /** Whom the files belong to; null leaves them with the agent's user. */
  owner: { uid: number; gid: number } | null;
}

const ownName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}\.[0-9a-f]{16}\.[0-9a-f]{8}$/;
/** The file in a version that says that it was seen on the wire. */
export const provenMark = "proven";

/** The version that a link names, or null if there is no such link. */
export async function linked(site: Site, link: "current" | "previous"): Promise<string | null> {
  const target = await readlink(join(site.directory, link)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw new Error(`${join(site.directory, link)} has to be a symbolic link to versions/…`);
  });
  if (target === null) return null;
  if (dirname(target) !== "versions" || basename(target).startsWith("."))
    throw new Error(`${join(site.directory, link)} points to ${target}, not into versions/`);
  return basename(target);
}

/** Points a link to a version, or removes it, in one atomic step that survives a power cut. */
export async function point(site: Site, link: "current" | "previous", version: string | null): Promise<void> {
  const { directory, layout } = site;
  await relink(directory, link, version === null ? null : join("versions", version));
  if (link === "current" && layout.watched !== undefined)
    await relink(directory, layout.watched, version === null ? null : join("current", layout.watched));
}

async function relink(directory: string, name: string, target: string | null): Promise<void> {
  const path = join(directory, name);
  if (target === null) await rm(path, { force: true });
  else {
    const next = join(directory, `.${name}.next`);
    await rm(next, { force: true });
    await symlink(target, next);
    await rename(next, path);
  }
  await sync(directory);
}

/** What to go back to: `current`, unless a deployment broke off before it was proven; then what was before that. */
export async function lastGood(site: Site): Promise<string | null> {
  const current = await linked(site, "current");
  if (current === null || !ownName.test(current)) return current;
  const isProven = await access(join(versionPath(site, current), provenMark)).then(
    () => true,
    () => false,
  );
  return isProven ? current : linked(site, "previous");
}

/** Writes the files of a new version, down to the disk, reads them again and answers its name. */
export async function writeVersion(site: Site, bundle: Bundle, pair: Pair): Promise<string> {
  const version = `${bundle.keyId}.${bundle.fingerprintSha256.slice(0, 16)}.${randomBytes(4).toString("hex")}`;
  if (!ownName.test(version)) throw new Error(`"${bundle.keyId}" cannot be part of a file name`);
  const versions = join(site.directory, "versions");
  await mkdir(versions, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  if (!(await lstat(versions)).isDirectory()) throw new Error(`${versions} is not a directory`);
  const path = versionPath(site, version);
  await mkdir(path, { mode: 0o755 });
  try {
    for (const { name, content, isSecret } of site.layout.files(pair, path))
      await writeNew(site, join(path, name), content, isSecret ? 0o600 : 0o644);
    await sync(path);
    await sync(versions);
    if (!(await holds(site, version, pair))) throw new Error(`${path} does not hold what was written there`);
  } catch (error) {
    await remove(site, version);
    throw error;
  }
  return version;
}

/** The PEM of a version's certificate file, or null. */
export async function certificateOf(site: Site, version: string): Promise<string | null> {
  return readFile(join(versionPath(site, version), site.layout.leaf), "utf8").catch(() => null);
}

/** Whether a version's files are exactly what this pair makes. */
export async function holds(site: Site, version: string, pair: Pair): Promise<boolean> {
  const path = versionPath(site, version);
  for (const { name, content } of site.layout.files(pair, path)) {
    if ((await readFile(join(path, name), "utf8").catch(() => null)) !== content) return false;
  }
  return true;
}

/** Notes that the current version was seen on the wire, and removes what is neither it nor the previous one. */
export async function settle(site: Site, current: string): Promise<void> {
  const mark = await open(join(versionPath(site, current), provenMark), "w", 0o644);
  await mark.close();
  await sync(versionPath(site, current));
  const previous = await linked(site, "previous");
  for (const version of await ownVersions(site)) {
    if (version !== current && version !== previous) await remove(site, version);
  }
}

/** Removes every version that holds this key unless it is the current one. True when none is left. */
export async function forgetKey(site: Site, keyId: string): Promise<boolean> {
  const current = await linked(site, "current");
  const holding = (await ownVersions(site)).filter((version) => version.split(".")[0] === keyId);
  for (const version of holding) {
    if (version === current) continue;
    if (version === (await linked(site, "previous"))) await point(site, "previous", null);
    await remove(site, version);
  }
  return current === null || !holding.includes(current);
}

export async function remove(site: Site, version: string): Promise<void> {
  await rm(versionPath(site, version), { recursive: true, force: true });
}

async function ownVersions(site: Site): Promise<string[]> {
  const names = await readdir(join(site.directory, "versions")).catch(() => []);
  return names.filter((name) => ownName.test(name));
}

function versionPath(site: Site, version: string): string {
  return join(site.directory, "versions", version);
}

async function writeNew(site: Site, path: string, content: string, mode: number): Promise<void> {
  await using file = await open(path, "wx", mode);
  await file.writeFile(content);
  // The process's umask may have narrowed the mode.
  await file.chmod(mode);
  if (site.owner) await file.chown(site.owner.uid, site.owner.gid);
  await file.sync();
}

async function sync(directory: string): Promise<void> {
  await using handle = await open(directory, "r");
  await handle.sync();
}
