import { readdir, readFile } from "node:fs/promises";

/** A process that lives now. */
export interface LiveProcess {
  pid: number;
  command: string;
}

const goneWithinMs = 10_000;

/** The processes that have a path in their arguments or environment: those of a data directory. */
export async function processesOf(path: string): Promise<LiveProcess[]> {
  const found = await Promise.all(
    (await readdir("/proc")).map(async (entry) => {
      const pid = Number(entry);
      if (!(pid > 0) || pid === process.pid) return [];
      // A process may end between one look and the next.
      const [command, environment] = await Promise.all(
        ["cmdline", "environ"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
      );
      if (!`${command}\0${environment}`.includes(path)) return [];
      return [{ pid, command: command?.replaceAll("\0", " ").trim() ?? "" }];
    }),
  );
  return found.flat();
}

/** Waits until no process of the path is left. Answers with what is there when patience ends. */
export async function leftOf(path: string): Promise<LiveProcess[]> {
  const deadline = Date.now() + goneWithinMs;
  for (;;) {
    const left = await processesOf(path);
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
