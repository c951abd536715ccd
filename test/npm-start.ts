import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { runProcess, type TestProcess } from "./process.ts";
import { leftOf, processesOf } from "./processes-of.ts";
import { type Rest, restClient } from "./rest.ts";

/** A user's machine: a data directory and two ports, on which `npm start` can be run again and again. */
export interface Machine extends AsyncDisposable {
  dataDir: string;
  port: number;
  demoPort: number;
  /** Types `npm start`, and other variables before it. */
  npmStart(env?: Record<string, string>): TestProcess;
  /** The API with the admin's key, as both lie in the data directory. */
  rest(): Promise<Rest>;
}

export async function newMachine(): Promise<Machine> {
  const directory = await mkdtemp(join(tmpdir(), "certctl-start-"));
  // PostgreSQL is another user where the tests run as root.
  await chmod(directory, 0o711);
  const dataDir = join(directory, "data");
  const [port, demoPort] = [await freePort(), await freePort()];
  return {
    dataDir,
    port,
    demoPort,
    npmStart(env = {}) {
      const own = {
        CERTCTL_DATA_DIR: dataDir,
        CERTCTL_PORT: String(port),
        CERTCTL_DEMO_PORT: String(demoPort),
      };
      return runProcess(["npm", "start"], { ...own, ...env }, { isGroup: true });
    },
    async rest() {
      const read = async (name: string) => (await readFile(join(dataDir, name), "utf8")).trim();
      const [ca, apiKey] = [await read("ca.pem"), await read("admin.key")];
      return restClient({ url: `https://localhost:${port}`, ca, apiKey });
    },
    async [Symbol.asyncDispose]() {
      for (const { pid } of await processesOf(dataDir)) kill(pid);
      await leftOf(dataDir);
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Ctrl-C in the terminal: the whole process group gets the signal. */
export function typeCtrlC({ child }: TestProcess): void {
  process.kill(-(child.pid ?? 0), "SIGINT");
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
