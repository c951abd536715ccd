import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  ScalarType,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { wordOf } from "../../platform/words.ts";
import { enumWords, isWellKnown } from "../json.ts";
import { isPage } from "../request-message.ts";
import { constraintsOf } from "./constraints.ts";

/** Which way a message goes: what the server answers has every field, what it takes may leave some out. */
export type Direction = "answer" | "request";

/** JSON Schemas of messages and enums, each once, below `#/components/schemas/`. */
export class Schemas {
  readonly #components = new Map<string, JsonObject>();
  readonly #comments: Readonly<Record<string, string>>;

  constructor(comments: Readonly<Record<string, string>>) {
    this.#comments = comments;
  }

  /** All that were referred to, by name. */
  get components(): JsonObject {
    const entries = [...this.#components].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries);
  }

  /** A reference to a message's schema. */
  message(desc: DescMessage, direction: Direction): JsonObject {
    if (isWellKnown(desc)) return wellKnown[desc.typeName] ?? {};
    const name = direction === "answer" ? desc.name : `${desc.name.replace(/Request$/, "")}Input`;
    this.#add(name, () => this.object(desc, desc.fields, direction));
    return { $ref: `#/components/schemas/${name}` };
  }

  /** The schema of a message of which only these fields are shown or taken. */
  object(desc: DescMessage, fields: readonly DescField[], direction: Direction): JsonObject {
    const required =
      direction === "answer" ? fields : fields.filter((field) => constraintsOf(field).isRequired);
    return {
      ...this.#described(desc.typeName),
      type: "object",
      properties: Object.fromEntries(fields.map((field) => [field.name, this.field(field, direction)])),
      ...(required.length > 0 ? { required: required.map(({ name }) => name) } : {}),
      ...(direction === "request" ? { additionalProperties: false } : {}),
    };
  }

  field(field: DescField, direction: Direction): JsonObject {
    const limits = direction === "request" ? constraintsOf(field) : undefined;
    const own = this.#described(`${field.parent.typeName}.${field.name}`, limits?.words);
    const schema = this.#value(field, direction, limits?.schema ?? {});
    const isNull = isNullable(field) && !limits?.isRequired;
    const zero = limits?.isZeroAllowed ? zeroOf(field) : undefined;
    if (!isNull && zero === undefined) return { ...schema, ...own };
    if (zero === undefined && typeof schema["type"] === "string")
      return { ...schema, type: [schema["type"], "null"], ...own };
    const choices = [schema, ...(zero ? [zero] : []), ...(isNull ? [{ type: "null" }] : [])];
    return { anyOf: choices, ...own };
  }

  /** A field in the path or the query, where null cannot be written and a page is numbered from 1. */
  parameter(field: DescField): JsonObject {
    const { schema, words, isZeroAllowed } = constraintsOf(field);
    const own = this.#described(`${field.parent.typeName}.${field.name}`, words);
    const least = isPage(field) ? { minimum: 1 } : {};
    const single = { ...this.#value(field, "request", schema), ...least };
    const zero = isZeroAllowed ? zeroOf(field) : undefined;
    return { ...(zero ? { anyOf: [single, zero] } : single), ...own };
  }

  /** The one field of an answer that is the whole body. */
  shown(field: DescField): JsonObject {
    return this.#value(field, "answer", {});
  }

  #value(field: DescField, direction: Direction, limits: JsonObject): JsonObject {
    if (field.fieldKind === "list") {
      const { items = {}, ...own } = limits;
      return { type: "array", items: this.#single(field, direction, items as JsonObject), ...own };
    }
    const single = this.#single(field, direction, field.fieldKind === "map" ? {} : limits);
    return field.fieldKind === "map" ? { type: "object", additionalProperties: single, ...limits } : single;
  }

  #single({ message, enum: words, scalar }: DescField, direction: Direction, limits: JsonObject): JsonObject {
    if (words) return this.#enum(words);
    if (message) return this.message(message, direction);
    return { ...(scalar === undefined ? {} : scalars[scalar]), ...limits };
  }

  #enum(desc: DescEnum): JsonObject {
    // A nested enum's own name says too little: Drain.Reason.
    const name = desc.parent ? `${desc.parent.name}${desc.name}` : desc.name;
    this.#add(name, () => ({
      description: [this.#comments[desc.typeName] ?? name, ...this.#explained(desc)].join("\n"),
      type: "string",
      enum: enumWords(desc),
    }));
    return { $ref: `#/components/schemas/${name}` };
  }

  /** A line for each word that the protos explain. */
  #explained(desc: DescEnum): string[] {
    return desc.values.flatMap((value) => {
      const comment = this.#comments[`${desc.typeName}.${value.name}`];
      return comment === undefined ? [] : [`- ${wordOf(value, desc)}: ${comment}`];
    });
  }

  /** The name is taken before the schema is made: messages may hold themselves. */
  #add(name: string, make: () => JsonObject): void {
    if (this.#components.has(name)) return;
    this.#components.set(name, {});
    this.#components.set(name, make());
  }

  #described(name: string, words: readonly string[] = []): JsonObject {
    const comment = this.#comments[name];
    const sentences = words.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
    const text = [...(comment === undefined ? [] : [comment]), ...sentences].join(" ");
    return text === "" ? {} : { description: text };
  }
}

/** What the codec writes as null where it is unset: see json.ts. */
function isNullable(field: DescField): boolean {
  if (field.fieldKind === "list" || field.fieldKind === "map") return false;
  return field.presence !== FeatureSet_FieldPresence.IMPLICIT || field.enum !== undefined;
}

function zeroOf({ scalar }: DescField): JsonObject | undefined {
  if (scalar === undefined) return undefined;
  return { const: scalar === ScalarType.STRING ? "" : scalar === ScalarType.BOOL ? false : 0 };
}

const scalars: { [Type in ScalarType]?: JsonObject } = {
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.UINT32]: { type: "integer", minimum: 0, maximum: 4_294_967_295 },
  [ScalarType.INT32]: { type: "integer", minimum: -2_147_483_648, maximum: 2_147_483_647 },
  [ScalarType.DOUBLE]: { type: "number" },
};

const wellKnown: Record<string, JsonObject> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]+)?s$" },
  "google.protobuf.Struct": { type: "object", additionalProperties: true },
  "google.protobuf.Empty": { type: "object" },
};
