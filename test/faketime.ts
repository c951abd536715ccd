import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";

const install = "apt-get update && apt-get install -y --no-install-recommends faketime";

/** The environment in which a process and its children live later than now: "+3 days". */
export async function later(offset: string): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)("faketime", [offset, "env"]).catch((cause) => {
    throw new Error(`faketime is not installed: ${install}`, { cause });
  });
  const read = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(stdout)?.[1] ?? "";
  return {
    LD_PRELOAD: read("LD_PRELOAD"),
    FAKETIME: read("FAKETIME"),
    // Timers go by this clock, which has no offset to be seen.
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

/** The environment whose clock is moved while it runs: "+3d" in this file is three days later. */
export async function movableClock(file: string): Promise<Record<string, string>> {
  await writeFile(file, "+0");
  const { LD_PRELOAD = "", FAKETIME_DONT_FAKE_MONOTONIC = "" } = await later("+1 day");
  return {
    LD_PRELOAD,
    FAKETIME_DONT_FAKE_MONOTONIC,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: "1",
  };
}
