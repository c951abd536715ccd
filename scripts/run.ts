import { spawnSync } from "node:child_process";

/** Runs a command with our output; ends the script with its exit code when it fails. */
export function run(command: string, ...args: string[]): void {
  console.log(`> ${[command, ...args].join(" ")}`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
