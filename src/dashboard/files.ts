import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative } from "node:path";

/** A file as it is sent: as it is, and compressed where that was prepared. */
export interface StoredFile {
  contentType: string;
  /** Quoted, as the header wants it. */
  etag: string;
  body: Buffer;
  br?: Buffer;
  gzip?: Buffer;
}

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};

/**
 * Reads a built dashboard into memory, by path: "/index.html". Null where there is none. It is a few MB, and what is replaced on
 * disk while the server runs, as by another build, leaves it whole.
 */
export async function readFiles(directory: string): Promise<ReadonlyMap<string, StoredFile> | null> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const read = async (path: string) => readFile(join(directory, path));
  const bodies = new Map<string, Buffer>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = relative(directory, join(entry.parentPath, entry.name));
    bodies.set(`/${path.replaceAll("\\", "/")}`, await read(path));
  }
  if (!bodies.has("/index.html")) return null;
  const files = new Map<string, StoredFile>();
  for (const [path, body] of bodies) {
    const contentType = contentTypes[extname(path)];
    if (contentType === undefined || path.includes("/.")) continue;
    const [br, gzip] = [bodies.get(`${path}.br`), bodies.get(`${path}.gz`)];
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    files.set(path, { contentType, etag, body, ...(br ? { br } : {}), ...(gzip ? { gzip } : {}) });
  }
  return files;
}
