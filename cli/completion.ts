import { type Command, InvalidArgumentError } from "commander";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import type { Terminal } from "./terminal.ts";

/** A command that can be completed: its words, and its options with what they take. */
export interface Completed {
  /** Its name and its alias. */
  names: string[];
  description: string;
  commands: Completed[];
  options: { flag: string; choices: readonly string[]; takesValue: boolean; description: string }[];
}

const scripts: Record<string, (program: Completed) => string> = {
  bash: bashCompletion,
  // zsh reads bash's with its own compatibility layer.
  zsh: (program) =>
    `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashCompletion(program)}`,
  fish: fishCompletion,
};

export function addCompletion(program: Command, terminal: Terminal): void {
  program
    .command("completion")
    .description("Prints a script that completes commands in a shell")
    .argument("<shell>", Object.keys(scripts).join(", "), (shell) => {
      if (!Object.hasOwn(scripts, shell))
        throw new InvalidArgumentError(`Known are ${Object.keys(scripts).join(", ")}.`);
      return shell;
    })
    .addHelpText(
      "after",
      "\nExamples:\n  source <(certctl completion bash)\n  certctl completion fish > ~/.config/fish/completions/certctl.fish",
    )
    .action((shell: string) => terminal.out(scripts[shell]?.(completed(program)) ?? ""));
}

function completed(command: Command): Completed {
  return {
    names: [command.name(), ...command.aliases()],
    description: command.description(),
    commands: command.commands.map(completed),
    options: command.options.map(({ long, argChoices = [], required, description }) => ({
      flag: long ?? "",
      choices: argChoices,
      takesValue: required,
      description,
    })),
  };
}
