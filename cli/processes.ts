import type { Command } from "commander";

/** The long-running processes. They read their settings from the environment: docs/configuration.md. */
export function addProcesses(program: Command): void {
  program
    .command("server")
    .description("Runs the control plane until it is stopped")
    .addHelpText("after", "\nExample:\n  CERTCTL_PORT=8443 certctl server")
    .action(async () => void (await import("../src/main.ts")));
  program
    .command("agent")
    .description("Runs an agent beside the servers that use the certificates")
    .addHelpText("after", "\nExample:\n  CERTCTL_JOIN_FILE=join certctl agent")
    .action(async () => void (await import("../agent/main.ts")));
}
