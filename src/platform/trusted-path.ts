import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, relative, sep } from "node:path";

const writableByOthers = 0o022;
const writableByAll = 0o002;
const sticky = 0o1000;

/** A path that others on the host could change; the message says which and why. */
class UntrustedPathError extends Error {
  override readonly name = "UntrustedPathError";
}

/**
 * The real path of a directory. Throws UntrustedPathError unless it lies inside one of the allowed directories and
 * nobody else can write to it or exchange a part of its path. Only the directory itself may belong to another user,
 * the one that its server runs as.
 */
export async function trustedDirectory(directory: string, allowed: readonly string[]): Promise<string> {
  const path = await existing(directory);
  const roots = await Promise.all(allowed.map((root) => realpath(root).catch(() => null)));
  const root = roots.find((candidate) => candidate !== null && isInside(path, candidate));
  if (!root) throw new UntrustedPathError(`${directory} (${path}) lies in none of the allowed directories`);
  const { mode } = await stat(path);
  checkMode(path, mode, writableByOthers);
  await checkParts(dirname(path), root);
  return path;
}

/**
 * The real path of a file. Throws UntrustedPathError if anybody but root and the user that certctl runs as can change it, and
 * realpath's own error if there is none.
 */
export async function trustedFile(file: string): Promise<string> {
  const path = await realpath(file);
  await checkParts(path, path);
  return path;
}

/** From a path up: strict down to `root`; above it, sticky directories such as /tmp will do. */
async function checkParts(path: string, root: string): Promise<void> {
  for (let part = path, above = ""; part !== above; above = part, part = dirname(part)) {
    const { mode, uid } = await stat(part);
    if (isInside(part, root)) {
      checkMode(part, mode, writableByOthers);
      checkOwner(part, uid);
    } else if ((mode & sticky) === 0) {
      checkMode(part, mode, writableByAll);
    }
  }
}

function checkMode(path: string, mode: number, refused: number): void {
  if ((mode & refused) === 0) return;
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  throw new UntrustedPathError(`${path} can be written by others (mode ${octal})`);
}

function checkOwner(path: string, uid: number): void {
  if (uid === 0 || uid === process.getuid?.()) return;
  throw new UntrustedPathError(
    `${path} belongs to user ${uid}, not to root or the user that certctl runs as`,
  );
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

async function existing(path: string): Promise<string> {
  return realpath(path).catch((error: unknown) => {
    throw new UntrustedPathError(
      `${path} cannot be looked at: ${error instanceof Error ? error.message : error}`,
    );
  });
}
