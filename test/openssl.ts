import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Runs the openssl program: the second opinion on everything X.509. Rejects, with its own words, when it says no. */
export async function openssl(...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await execute("openssl", args);
    return stdout + stderr;
  } catch (error) {
    const { code, stderr, stdout } = error as { code?: unknown; stderr?: string; stdout?: string };
    if (code === "ENOENT")
      throw new Error("the openssl program is missing; install it: apt-get install openssl");
    throw new Error(`openssl ${args.join(" ")}: ${stdout}${stderr}`);
  }
}

/** A directory for the files that openssl reads and writes. */
export async function openScratch(): Promise<Scratch> {
  const directory = await mkdtemp(join(tmpdir(), "certctl-openssl-"));
  return {
    path: (name) => join(directory, name),
    async file(name, content) {
      const path = join(directory, name);
      await writeFile(path, content);
      return path;
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

export interface Scratch extends AsyncDisposable {
  path(name: string): string;
  /** Writes a file and returns its path. */
  file(name: string, content: string | Uint8Array): Promise<string>;
}
