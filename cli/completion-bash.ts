import type { Completed } from "./completion.ts";

/** A function that looks up what may follow the words typed so far: a noun, its verb, a flag, the flag's words. */
export function bashCompletion(program: Completed): string {
  const cases = program.commands.flatMap((noun) => [
    entry(noun.names, [...noun.commands.flatMap(({ names }) => names), ...flags(noun)]),
    ...noun.commands.flatMap((verb) => [
      entry(pairs(noun, verb), flags(verb)),
      ...verb.options
        .filter(({ choices }) => choices.length > 0)
        .map(({ flag, choices }) =>
          entry(
            pairs(noun, verb).map((pair) => `${pair} ${flag}`),
            choices,
          ),
        ),
    ]),
  ]);
  return `_certctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" noun="" verb="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) if [ -z "$noun" ]; then noun="$word"; elif [ -z "$verb" ]; then verb="$word"; fi ;;
    esac
  done
  local at="$noun\${verb:+ $verb}"
  _certctl_words "$at $previous" || _certctl_words "$at" || _certctl_words ""
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
_certctl_words() {
  case "$1" in
${[entry([""], [...program.commands.flatMap(({ names }) => names), ...flags(program)]), ...cases].join("\n")}
  *) return 1 ;;
  esac
}
complete -o default -F _certctl certctl
`;
}

function pairs(noun: Completed, verb: Completed): string[] {
  return noun.names.flatMap((name) => verb.names.map((other) => `${name} ${other}`));
}

function flags({ options }: Completed): string[] {
  return [...options.map(({ flag }) => flag), "--help"];
}

function entry(places: readonly string[], words: readonly string[]): string {
  return `  ${places.map((place) => `"${place}"`).join("|")}) words="${words.join(" ")}" ;;`;
}
