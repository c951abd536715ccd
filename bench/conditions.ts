import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** What a figure depends on beside the code: one line of text each. */
export async function conditions(dataDir: string): Promise<string[]> {
  const processors = cpus();
  return [
    `machine   ${processors[0]?.model.trim() ?? "unknown"}, ${processors.length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}`,
    `node      ${process.version}, OpenSSL ${process.versions.openssl}`,
    `postgres  ${await postgresVersion(dataDir)}, embedded, fsync on`,
    `nginx     ${await nginxVersion()}`,
    `load      ${load()}`,
  ];
}

/** The load average of one, five and fifteen minutes. */
export function load(): string {
  return loadavg()
    .map((average) => average.toFixed(2))
    .join(" ");
}

async function postgresVersion(dataDir: string): Promise<string> {
  const directory = join(dataDir, "postgres");
  const native = (await readdir(directory)).find((name) => name.startsWith("native-")) ?? "";
  const { stdout } = await execute(join(directory, native, "bin", "postgres"), ["--version"]);
  return stdout.replace("postgres (PostgreSQL)", "").trim();
}

async function nginxVersion(): Promise<string> {
  const { stderr } = await execute("nginx", ["-v"]);
  return stderr.replace("nginx version:", "").trim();
}
