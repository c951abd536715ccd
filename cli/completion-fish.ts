import type { Completed } from "./completion.ts";

/** A line for each command and each flag, with the condition under which it may come. */
export function fishCompletion(program: Completed): string {
  const lines = program.commands.flatMap((noun) => {
    const isNoun = `__fish_seen_subcommand_from ${noun.names.join(" ")}`;
    const verbs = noun.commands.flatMap(({ names }) => names).join(" ");
    const isVerbless = verbs === "" ? isNoun : `${isNoun}; and not __fish_seen_subcommand_from ${verbs}`;
    return [
      ...noun.names.map((name) => word(name, "__fish_use_subcommand", noun.description)),
      ...noun.commands.flatMap(({ names, description }) =>
        names.map((name) => word(name, isVerbless, description)),
      ),
      ...noun.options.map((option) => flag(option, isVerbless)),
      ...noun.commands.flatMap((verb) =>
        verb.options.map((option) =>
          flag(option, `${isNoun}; and __fish_seen_subcommand_from ${verb.names.join(" ")}`),
        ),
      ),
    ];
  });
  return `complete -c certctl -f\n${lines.join("\n")}\n`;
}

function word(name: string, condition: string, description: string): string {
  return `complete -c certctl -n '${condition}' -a ${name} -d '${quoted(description)}'`;
}

function flag(
  { flag: name, choices, takesValue, description }: Completed["options"][number],
  condition: string,
): string {
  const values = choices.length > 0 ? ` -x -a '${choices.join(" ")}'` : takesValue ? " -r" : "";
  return `complete -c certctl -n '${condition}' -l ${name.replace("--", "")}${values} -d '${quoted(description)}'`;
}

function quoted(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
}
