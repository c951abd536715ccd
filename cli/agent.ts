import { join } from "node:path";
import type { Command } from "commander";
import { CommandFailure, exitCodes } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

const main = join(import.meta.dirname, "..", "agent", "main.ts");

/** Runs an agent, and what its host's owner does with it. Settings come from the environment: docs/configuration.md. */
export function addAgent(program: Command, terminal: Terminal): void {
  const agent = program
    .command("agent")
    .description("Runs an agent beside the servers that use the certificates")
    .addHelpText("after", "\nExample:\n  CERTCTL_JOIN_FILE=join certctl agent")
    .action(async () => void (await import("../agent/main.ts")));
  addInstall(agent, terminal);
  addDoctor(agent, terminal);
}

function addInstall(agent: Command, terminal: Terminal): void {
  agent
    .command("install")
    .description("Joins the control plane and writes a hardened service for systemd")
    .option("--user <name>", "who the agent runs as; what it reloads has to let that user", "root")
    .option("--root <directory>", "write everything below this directory, the disk of another host", "/")
    .option("--now", "start the service, now and at every boot")
    .addHelpText(
      "after",
      `
Settings of the agent that are in the environment are kept in /etc/certctl/agent.env. Run again, it changes the unit to what
/etc/certctl/agent.yaml allows by then.

Example:
  CERTCTL_JOIN_FILE=join certctl agent install --now`,
    )
    .action(async ({ user, root, now }: { user: string; root: string; now?: boolean }) => {
      const { installAgent, startService } = await import("../agent/service/install.ts");
      const { env, signal } = terminal;
      const say = (line: string) => terminal.out(`${line}\n`);
      await installAgent({ env, user, root, argv: [process.execPath, main], signal, say });
      if (now) await startService(signal);
      else if (root === "/") say("start it: systemctl daemon-reload && systemctl enable --now certctl-agent");
    });
}

function addDoctor(agent: Command, terminal: Terminal): void {
  agent
    .command("doctor")
    .description("Says what an agent on this host lacks, and what to do about it; changes nothing")
    .option("-o, --output <format>", "table or json", "table")
    .addHelpText("after", "\nExit code 1 when something failed.\n\nExample:\n  sudo certctl agent doctor")
    .action(async ({ output }: { output: string }) => {
      if (output !== "table" && output !== "json")
        throw new CommandFailure("--output has to be table or json", exitCodes.usage);
      const { examine } = await import("../agent/doctor/doctor.ts");
      const findings = await examine(terminal.env, terminal.signal);
      if (output === "json") terminal.out(`${JSON.stringify(findings, null, 2)}\n`);
      else
        for (const { subject, state, message, fix } of findings)
          terminal.out(
            `${state.padEnd(8)} ${subject.padEnd(12)} ${message}\n${fix && `${" ".repeat(21)} → ${fix}\n`}`,
          );
      const wrong = findings.filter(({ state }) => state === "failed").length;
      if (wrong > 0) throw new CommandFailure(wrong === 1 ? "one check failed" : `${wrong} checks failed`);
    });
}
