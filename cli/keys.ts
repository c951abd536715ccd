import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";

/** What is done to a control plane's keys on its own machine, not through its API. */
export function addKeys(program: Command, terminal: Terminal): void {
  const group = program.command("keys").description("Changes the key that seals the secrets in the database");
  group
    .command("rotate")
    .description("Takes everything that is sealed in the database to another wrapping key")
    .addHelpText(
      "after",
      `
Reads the control plane's settings. With the embedded database it makes the new key itself, while the control plane is
stopped. With DATABASE_URL the control planes may run: CERTCTL_CONFIG_ENCRYPTION_KEY is the new key, and
CERTCTL_CONFIG_DECRYPTION_KEYS the one before. Broken off, it goes on when it is run again. docs/keys.md has every step.

Example:
  certctl keys rotate`,
    )
    .action(async () => {
      const { rotateKeys } = await import("../src/rotate-keys.ts");
      terminal.out(await rotateKeys(terminal.env, terminal.signal));
    });
}
