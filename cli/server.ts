import type { Command } from "commander";

/** The control plane reads its settings from the environment: docs/configuration.md. */
export function addServer(program: Command): void {
  program
    .command("server")
    .description("Runs the control plane until it is stopped")
    .addHelpText("after", "\nExample:\n  CERTCTL_PORT=8443 certctl server")
    .action(async () => void (await import("../src/main.ts")));
}
