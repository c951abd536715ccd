import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeAtomically } from "../src/platform/data-dir.ts";

const stored = z.record(z.string(), z.int());

/** The newest deployment that was applied to each target: an older one that comes late is refused. */
export interface Generations {
  applied(targetId: string): number;
  record(targetId: string, generation: number): Promise<void>;
}

export async function openGenerations(stateDir: string): Promise<Generations> {
  const path = join(stateDir, "generations.json");
  const text = await readFile(path, "utf8").catch(() => "{}");
  const newest = new Map(Object.entries(stored.parse(JSON.parse(text))));
  let writing = Promise.resolve();
  return {
    applied: (targetId) => newest.get(targetId) ?? 0,
    async record(targetId, generation) {
      if (generation <= (newest.get(targetId) ?? 0)) return;
      newest.set(targetId, generation);
      // One write after the other: of two at once, the one that knows less could be the last to take the file's place.
      const write = () => writeAtomically(path, JSON.stringify(Object.fromEntries(newest)), 0o600);
      writing = writing.then(write, write);
      await writing;
    },
  };
}
