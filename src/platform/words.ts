import { type DescEnum, type EnumShape, getOption, hasOption } from "@bufbuild/protobuf";
import { word } from "#gen/certctl/v1/options_pb.ts";

/** An enum's words, as the database and REST write them, and back. */
export interface Words<Value extends number> {
  /** The word of a value; empty for the unspecified one. */
  text(value: Value): string;
  /** The value of a word. Throws for a word that is not the enum's: the database holds no such. */
  value(text: string): Value;
}

/** Reads the words of an enum: the option `word`, or the PascalCase of its name without the prefix. */
export function wordsOf<Desc extends DescEnum>(desc: Desc): Words<EnumShape<Desc> & number> {
  const texts = new Map(
    desc.values.map((value) => [value.number, value.number === 0 ? "" : wordOf(value, desc)]),
  );
  const values = new Map(Array.from(texts, ([number, text]) => [text, number]));
  return {
    text: (value) => texts.get(value) ?? "",
    value(text) {
      const found = values.get(text);
      if (found === undefined) throw new Error(`${desc.typeName} has no ${text}`);
      return found as EnumShape<Desc> & number;
    },
  };
}

/** The word of one value. */
export function wordOf(value: DescEnum["values"][number], desc: DescEnum): string {
  if (hasOption(value, word)) return getOption(value, word);
  const prefix = `${desc.name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase()}_`;
  const name = value.name.startsWith(prefix) ? value.name.slice(prefix.length) : value.name;
  return name
    .split("_")
    .map((part) => part.charAt(0) + part.slice(1).toLowerCase())
    .join("");
}
