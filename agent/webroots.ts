import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../src/platform/data-dir.ts";
import { trustedDirectory } from "../src/platform/trusted-path.ts";

/** Answers http-01 through a web server: by files in what it serves. */
export interface Webroots {
  /** Returns how to take the answer away. */
  publish(
    directory: string,
    challenge: { allowedDirectories: readonly string[]; token: string; keyAuthorization: string },
  ): Promise<() => Promise<void>>;
}

/** Files that an earlier process of the agent left are removed first. */
export async function openWebroots(stateDir: string): Promise<Webroots> {
  const notes = join(stateDir, "challenges");
  await mkdir(notes, { recursive: true, mode: 0o700 });
  for (const name of await readdir(notes)) {
    await rm(await readFile(join(notes, name), "utf8"), { force: true });
    await rm(join(notes, name), { force: true });
  }
  return {
    async publish(directory, { allowedDirectories, token, keyAuthorization }) {
      const root = await trustedDirectory(directory, allowedDirectories);
      const wanted = join(root, ".well-known", "acme-challenge");
      await mkdir(wanted, { recursive: true, mode: 0o755 });
      // Whatever links lie on the way, it is still a place where only the owner writes.
      const place = await trustedDirectory(wanted, [root]);
      const file = join(place, token);
      const note = join(notes, token);
      // Noted first: what is killed here leaves nothing behind for good.
      await writeAtomically(note, file, 0o600);
      await writeAtomically(file, keyAuthorization, 0o644);
      return async () => {
        await rm(file, { force: true });
        await rm(note, { force: true });
      };
    },
  };
}
