import {
  type DescField,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldRules,
  Ignore,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** What buf.validate asks of a field, as JSON Schema; and in words, what JSON Schema cannot say. */
export interface Constraints {
  schema: JsonObject;
  words: string[];
  /** Whether the field has to be given. */
  isRequired: boolean;
  /** Whether its zero value passes, too. */
  isZeroAllowed: boolean;
}

export function constraintsOf(field: DescField): Constraints {
  if (!hasOption(field, fieldRules))
    return { schema: {}, words: [], isRequired: false, isZeroAllowed: false };
  const rules = getOption(field, fieldRules);
  const json = toJson(FieldRulesSchema, rules) as JsonObject;
  const schema = schemaOf(json);
  const isZeroAllowed = rules.ignore === Ignore.IF_ZERO_VALUE;
  const isLong = Number(schema["minLength"] ?? schema["minItems"] ?? 0) > 0;
  const isChosen = rules.type.case === "enum" && rules.type.value.notIn.includes(0);
  const isNeeded = rules.required || isLong || isChosen;
  return { schema, words: wordsOf(rules), isRequired: isNeeded && !isZeroAllowed, isZeroAllowed };
}

function wordsOf({ cel }: FieldRules): string[] {
  return cel.map(({ message }) => message).filter((message) => message !== "");
}

/** The keywords of the rules of one type: `{"string": {"minLen": "1"}}`. */
function schemaOf(rules: JsonObject): JsonObject {
  const [type] = Object.keys(rules).filter((key) => key in keywords || key === "repeated" || key === "map");
  if (type === undefined) return {};
  const given = rules[type] as JsonObject;
  if (type === "map") return keywordsOf({ minPairs: "minProperties", maxPairs: "maxProperties" }, given);
  if (type !== "repeated") return keywordsOf(keywords[type] ?? {}, given);
  const list = keywordsOf({ minItems: "minItems", maxItems: "maxItems", unique: "uniqueItems" }, given);
  const items = schemaOf((given["items"] ?? {}) as JsonObject);
  return Object.keys(items).length > 0 ? { ...list, items } : list;
}

function keywordsOf(table: Record<string, string | JsonObject>, given: JsonObject): JsonObject {
  const found = Object.entries(given).flatMap(([rule, value]): [string, JsonValue][] => {
    const keyword = table[rule];
    if (keyword === undefined) return [];
    return typeof keyword === "string"
      ? [[keyword, plain(value)]]
      : (Object.entries(keyword) as [string, JsonValue][]);
  });
  return Object.fromEntries(found);
}

/** 64-bit numbers are strings in protobuf's JSON. */
function plain(value: JsonValue): JsonValue {
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
}

const numbers = {
  gte: "minimum",
  lte: "maximum",
  gt: "exclusiveMinimum",
  lt: "exclusiveMaximum",
  in: "enum",
  const: "const",
};

const keywords: Record<string, Record<string, string | JsonObject>> = {
  string: {
    minLen: "minLength",
    maxLen: "maxLength",
    pattern: "pattern",
    in: "enum",
    const: "const",
    uuid: { format: "uuid" },
    email: { format: "email" },
    uri: { format: "uri" },
    hostname: { format: "hostname" },
  },
  uint32: numbers,
  int32: numbers,
  double: numbers,
};
