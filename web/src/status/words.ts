import type { DescEnum, EnumShape } from "@bufbuild/protobuf";
import { wordsOf } from "../../../src/platform/words.ts";

const vocabularies = new WeakMap<DescEnum, ReturnType<typeof wordsOf>>();

function vocabularyOf<Desc extends DescEnum>(desc: Desc) {
  const known = vocabularies.get(desc) as ReturnType<typeof wordsOf<Desc>> | undefined;
  if (known) return known;
  const words = wordsOf(desc);
  vocabularies.set(desc, words as ReturnType<typeof wordsOf>);
  return words;
}

/** The word of a value as the API writes it: "RenewalInProgress". */
export function wordOfValue<Desc extends DescEnum>(desc: Desc, value: EnumShape<Desc> & number): string {
  return vocabularyOf(desc).text(value);
}

/** The values of words, as a filter in the URL has them; unknown words are left out. */
export function valuesOfWords<Desc extends DescEnum>(
  desc: Desc,
  words: readonly string[],
): (EnumShape<Desc> & number)[] {
  const vocabulary = vocabularyOf(desc);
  return desc.values
    .map(({ number }) => number as EnumShape<Desc> & number)
    .filter((value) => value !== 0 && words.includes(vocabulary.text(value)));
}

/** A word as people read it: "Renewal in progress"; what is an abbreviation stays one. */
export function sentence(word: string): string {
  const parts = word.split(/(?<=[a-z])(?=[A-Z])|_/);
  return parts
    .map((part, index) =>
      index === 0 || /^[A-Z]{2,}/.test(part) ? part : part.charAt(0).toLowerCase() + part.slice(1),
    )
    .join(" ");
}

/** A value as people read it. */
export function readable<Desc extends DescEnum>(desc: Desc, value: EnumShape<Desc> & number): string {
  return sentence(wordOfValue(desc, value));
}
