import { isDeepStrictEqual } from "node:util";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { canonicalSet, parseSan } from "../../src/x509/names.ts";

/** How the server shows a secret that it does not tell. */
export const mask = "********";

export interface Change {
  field: string;
  before: JsonValue;
  after: JsonValue;
}

/**
 * The fields of a file that differ from what the server has. What the file leaves out stays as it is, and the order of a list
 * means nothing.
 * @param isSecretCompared whether a secret that the server masks counts as changed; it cannot be told
 */
export function changesOf(
  resource: string,
  current: JsonObject,
  wanted: JsonObject,
  { isSecretCompared }: { isSecretCompared: boolean },
): Change[] {
  const [from, to] = [canonical(resource, current, current), canonical(resource, wanted, current)];
  return Object.keys(wanted).flatMap((field): Change[] => {
    const before = from[field] ?? null;
    const after = to[field] ?? null;
    if (isDeepStrictEqual(before, isSecretCompared ? after : masked(after, before))) return [];
    const shown = current[field] ?? null;
    return [{ field, before: shown, after: masked(wanted[field] ?? null, shown) }];
  });
}

/** Whether the server keeps something in it that it does not show. */
export function hasMask(json: JsonValue): boolean {
  if (json === mask) return true;
  return (
    typeof json === "object" &&
    json !== null &&
    Object.values(json).some((value) => hasMask(value as JsonValue))
  );
}

/** The value with the server's mask wherever the server masks. */
function masked(value: JsonValue, shown: JsonValue): JsonValue {
  if (shown === mask && typeof value === "string" && value !== "") return mask;
  if (!isObject(value) || !isObject(shown)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, masked(each, shown[key] ?? null)]),
  );
}

/** A resource as the server would write it. */
function canonical(resource: string, json: JsonObject, current: JsonObject): JsonObject {
  const names = resource === "certificates" ? certificateNames(json, current) : {};
  return Object.fromEntries(
    Object.entries({ ...json, ...names }).map(([key, value]) => [key, sorted(value)]),
  );
}

/** The server writes names in their canonical form, and adds the common name to the alternative ones. */
function certificateNames(json: JsonObject, current: JsonObject): JsonObject {
  const commonName = String(json["common_name"] ?? current["common_name"] ?? "");
  try {
    const own = json["common_name"] === undefined ? {} : { common_name: parseSan(commonName).value };
    if (!Array.isArray(json["sans"])) return own;
    const sans = [commonName, ...json["sans"].map(String)].filter((name) => name !== "").map(parseSan);
    return { ...own, sans: canonicalSet(sans) };
  } catch {
    // The server says what is wrong with a name.
    return {};
  }
}

function sorted(value: JsonValue): JsonValue {
  if (!Array.isArray(value) || !value.every((each) => typeof each !== "object")) return value;
  return value.toSorted((a, b) => (String(a) < String(b) ? -1 : 1));
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
