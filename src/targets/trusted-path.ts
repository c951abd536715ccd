import { mkdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";

const writableByOthers = 0o022;
const writableByAll = 0o002;
const sticky = 0o1000;

/** A path that others on the host could change; the message says which and why. */
export class UntrustedPathError extends Error {
  override readonly name = "UntrustedPathError";
}

/**
 * The real path of a directory, which is made if only its last part is missing. Throws UntrustedPathError unless it
 * lies inside one of the allowed directories and nobody else can write to it or exchange a part of its path.
 */
export async function trustedDirectory(directory: string, allowed: readonly string[]): Promise<string> {
  const parent = await real(dirname(directory));
  const path = (await realOrNull(directory)) ?? join(parent, basename(directory));
  const roots = await Promise.all(allowed.map(realOrNull));
  const root = roots.find((candidate) => candidate !== null && isInside(path, candidate));
  if (!root) throw new UntrustedPathError(`${directory} (${path}) lies in none of the allowed directories`);
  await checkParts(dirname(path), root);
  if (path === join(parent, basename(directory))) {
    await mkdir(path, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
  // The last part may belong to the service's own user: the files take that owner.
  const info = await stat(path);
  if (!info.isDirectory()) throw new UntrustedPathError(`${path} is not a directory`);
  checkMode(path, info.mode, writableByOthers);
  return path;
}

/** The real path of a file. Throws UntrustedPathError if anybody but its owner, root or this user, can change it. */
export async function trustedFile(file: string): Promise<string> {
  const path = await realpath(file);
  await checkParts(path, path);
  return path;
}

/** From the file system's root down: strict from `from` on, above it sticky directories such as /tmp will do. */
async function checkParts(path: string, from: string): Promise<void> {
  for (let part = path; ; part = dirname(part)) {
    const { mode, uid } = await stat(part);
    if (isInside(part, from)) {
      checkMode(part, mode, writableByOthers);
      if (uid !== 0 && uid !== process.getuid?.())
        throw new UntrustedPathError(`${part} belongs to user ${uid}, not to root or the agent's user`);
    } else if ((mode & sticky) === 0) checkMode(part, mode, writableByAll);
    if (part === dirname(part)) return;
  }
}

function checkMode(path: string, mode: number, refused: number): void {
  if (process.platform === "win32" || (mode & refused) === 0) return;
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  throw new UntrustedPathError(`${path} can be written by others (mode ${octal})`);
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

async function real(path: string): Promise<string> {
  return realpath(path).catch(() => {
    throw new UntrustedPathError(`${path} does not exist`);
  });
}

async function realOrNull(path: string): Promise<string | null> {
  return realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}
