import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../src/platform/data-dir.ts";
import type { Log } from "../src/platform/log.ts";

/** Keeps the newest checkpoint of the control plane's audit where whoever rules the control plane cannot reach. */
export interface Witness {
  /** Takes "<seq>:<hash>". One that takes back what was seen before is not kept, and said in the log. */
  see(checkpoint: string): Promise<void>;
}

interface Checkpoint {
  seq: bigint;
  hash: string;
}

export async function openWitness(stateDir: string, log: Log): Promise<Witness> {
  const path = join(stateDir, "audit-checkpoint");
  let kept = parse(await readFile(path, "utf8").catch(() => ""));
  let told = "";
  return {
    async see(text) {
      const seen = parse(text);
      if (!seen || (seen.seq === kept?.seq && seen.hash === kept.hash)) return;
      if (kept && seen.seq <= kept.seq) {
        const expect = write(kept);
        if (told !== text) {
          const words =
            "the control plane's audit ends before what this agent has seen, or says something else: was a backup restored? Compare with certctl audit verify --expect";
          log.error({ expect, given: text }, words);
        }
        told = text;
        return;
      }
      await writeAtomically(path, `${write(seen)}\n`, 0o600);
      kept = seen;
    },
  };
}

function parse(text: string): Checkpoint | null {
  const [, seq = "", hash = ""] = /^([0-9]{1,19}):([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  return hash === "" ? null : { seq: BigInt(seq), hash };
}

function write({ seq, hash }: Checkpoint): string {
  return `${seq}:${hash}`;
}
