import { randomBytes } from "node:crypto";
import { access, constants, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StartupError } from "./startup-error.ts";

/** Creates the data directory, for its owner only. Throws StartupError when it cannot be written. */
export async function openDataDir(path: string): Promise<void> {
  try {
    await makeDirectory(path);
    await access(path, constants.W_OK | constants.X_OK);
    // Root passes every check of access rights; a read-only file system shows at the first write.
    const trial = join(path, ".writable");
    await writeAtomically(trial, "", 0o600);
    await rm(trial);
  } catch (error) {
    throw new StartupError(
      `the data directory ${path} cannot be written (${(error as Error).message}); set CERTCTL_DATA_DIR to one that can`,
    );
  }
}

/** Node's own recursive mkdir never ends below /proc. */
async function makeDirectory(path: string): Promise<void> {
  const make = () =>
    mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await make();
  }
}

/** Writes a file so that a reader, or a crash, sees the old content or the new one, whole. */
export async function writeAtomically(path: string, content: string, mode: number): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  const file = await open(aside, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const keyFile = "encryption.key";
const nextKeyFile = "encryption.key.next";

/** The key that seals secrets in the embedded database, made at the first start; after a rotation that broke off, two. */
export async function embeddedKeys(dataDir: string): Promise<[Buffer, ...Buffer[]]> {
  const key = (await readKey(dataDir, keyFile)) ?? (await makeKey(dataDir, keyFile));
  const next = await readKey(dataDir, nextKeyFile);
  return next ? [key, next] : [key];
}

/** The key that is to follow: the one of a rotation that broke off, or a new one. */
export async function nextEmbeddedKey(dataDir: string): Promise<Buffer> {
  const [key, next] = [await readKey(dataDir, keyFile), await readKey(dataDir, nextKeyFile)];
  return next && !key?.equals(next) ? next : makeKey(dataDir, nextKeyFile);
}

/** Puts the next key in the place of the one before. */
export async function adoptNextKey(dataDir: string): Promise<void> {
  const next = await readKey(dataDir, nextKeyFile);
  if (!next) return;
  await writeAtomically(join(dataDir, keyFile), `${next.toString("hex")}\n`, 0o600);
  await rm(join(dataDir, nextKeyFile));
}

async function readKey(dataDir: string, name: string): Promise<Buffer | null> {
  const text = await readFile(join(dataDir, name), "utf8").catch(() => null);
  return text === null ? null : Buffer.from(text.trim(), "hex");
}

async function makeKey(dataDir: string, name: string): Promise<Buffer> {
  const key = randomBytes(32);
  await writeAtomically(join(dataDir, name), `${key.toString("hex")}\n`, 0o600);
  return key;
}
