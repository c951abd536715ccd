import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { z } from "zod";
import { invalid } from "../platform/errors.ts";
import type { Place, Sealer } from "../platform/seal.ts";
import { type FieldPath, markedFields, pathText, readConfig, replaceAt, valueAt } from "./fields.ts";

/**
 * Secrets in connectors' configurations. In the database a secret is `{"$sealed": "<base64>"}` in the place of its text, sealed
 * for { table, id, field: its path, such as "config.auth.password" }. Those objects lie in the column `config` of the connector
 * tables and nowhere else, and say themselves where they are: `reseal` takes a stored configuration to another wrapping key
 * without its schema.
 */

/** What readers get in the place of a secret, and may send back to keep it. */
export const mask = "********";

const sealedKey = "$sealed";

/** The row that a configuration belongs to. */
export type ConfigPlace = Omit<Place, "field">;

/** The form that is stored. */
export function sealSecrets(
  sealer: Sealer,
  place: ConfigPlace,
  schema: z.ZodType,
  config: JsonObject,
): JsonObject {
  return replaceAt(config, markedFields(schema, config, "secret"), (value, path) => {
    if (typeof value !== "string" || value === "") return value;
    return seal(sealer, place, path, Buffer.from(value));
  });
}

/** The configuration as its connector needs it. Throws SealError. */
export function openSecrets(sealer: Sealer, place: ConfigPlace, stored: JsonObject): JsonObject {
  return replaceAt(stored, sealedFields(stored), (value, path) =>
    sealer.open({ ...place, field: pathText(path) }, sealedBytes(value)).toString(),
  );
}

/** The stored configuration as anybody may see it. */
export function maskSecrets(stored: JsonObject): JsonObject {
  return replaceAt(stored, sealedFields(stored), () => mask);
}

/** The stored configuration under the sealer's own wrapping key. Throws SealError. */
export function reseal(sealer: Sealer, place: ConfigPlace, stored: JsonObject): JsonObject {
  return replaceAt(stored, sealedFields(stored), (value, path) =>
    seal(sealer, place, path, sealer.open({ ...place, field: pathText(path) }, sealedBytes(value))),
  );
}

/** The sealed secrets of a stored configuration, as they are. */
export function sealedSecrets(stored: JsonObject): Buffer[] {
  return sealedFields(stored).map((path) => sealedBytes(valueAt(stored, path) ?? ""));
}

/**
 * What a caller wants a configuration to be, checked, with every mask replaced by the secret that it stands for: the one at
 * the same place of `current`, the opened configuration that is stored. A mask keeps its secret only for the destination that
 * the secret was given for. Throws an error that names each field.
 */
export function readWanted(schema: z.ZodType, wanted: JsonObject, current: JsonObject | null): JsonObject {
  const foreign = sealedFields(wanted).map((path) => ({
    field: pathText(path),
    description: `${sealedKey} is how certctl stores secrets; send the secret itself`,
  }));
  refuse(foreign);
  const masked = markedFields(schema, wanted, "secret").filter((path) => valueAt(wanted, path) === mask);
  const kept = current ?? {};
  refuse(
    masked
      .filter((path) => typeof valueAt(kept, path) !== "string")
      .map((path) => ({ field: pathText(path), description: "there is no secret to keep; enter one" })),
  );
  const config = readConfig(
    schema,
    replaceAt(wanted, masked, (value, path) => valueAt(kept, path) ?? value),
  );
  if (masked.length > 0) {
    const moved = changedDestinations(schema, config, kept).join(", ");
    refuse(
      (moved === "" ? [] : masked).map((path) => ({
        field: pathText(path),
        description: `enter the secret again: it was given for another destination (${moved} changed)`,
      })),
    );
  }
  return config;
}

function changedDestinations(schema: z.ZodType, next: JsonObject, current: JsonObject): string[] {
  const paths = [next, current].flatMap((config) => markedFields(schema, config, "destination"));
  const changed = paths.filter(
    (path) => JSON.stringify(valueAt(next, path)) !== JSON.stringify(valueAt(current, path)),
  );
  return [...new Set(changed.map(pathText))];
}

function refuse(violations: { field: string; description: string }[]): void {
  const [first, ...others] = violations;
  if (first) throw invalid(first, ...others);
}

function seal(sealer: Sealer, place: ConfigPlace, path: FieldPath, secret: Buffer): JsonObject {
  return { [sealedKey]: sealer.seal({ ...place, field: pathText(path) }, secret).toString("base64") };
}

function sealedBytes(value: JsonValue): Buffer {
  return Buffer.from(String(valueAt(value, [sealedKey])), "base64");
}

function sealedFields(value: JsonValue, path: FieldPath = []): FieldPath[] {
  if (typeof value !== "object" || value === null) return [];
  if (Object.hasOwn(value, sealedKey)) return [path];
  const entries = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : Object.entries(value);
  return entries.flatMap(([key, item]) => sealedFields(item, [...path, key]));
}
