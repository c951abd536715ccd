import type { JsonObject } from "@bufbuild/protobuf";
import { reseal, sealedSecrets } from "../connectors/secrets.ts";
import { type Sealer, sealedKeyId } from "../platform/seal.ts";

/** A column that holds what the wrapping key seals. */
export interface SealedColumn {
  table: string;
  column: string;
  /** The value itself, or a connector's configuration with secrets in it. */
  form: "value" | "config";
}

/**
 * Every column with sealed values. A value's place is (table, id, column), so that any of them is taken to another wrapping
 * key without knowing what it is for.
 */
export const sealedColumns: readonly SealedColumn[] = [
  { table: "authorities", column: "sealed_key", form: "value" },
  { table: "ocsp_responders", column: "sealed_key", form: "value" },
  { table: "audit_keys", column: "sealed_key", form: "value" },
  { table: "server_keys", column: "sealed_key", form: "value" },
  { table: "issuer_accounts", column: "sealed_account", form: "value" },
  { table: "issuers", column: "config", form: "config" },
  { table: "notifiers", column: "config", form: "config" },
  { table: "deployment_targets", column: "config", form: "config" },
];

/** The value that tells at a start whether the wrapping key is the right one: it changes last. */
export const keyCheckColumn: SealedColumn = { table: "installation", column: "key_check", form: "value" };

/** What a column of a row holds: bytes, or a configuration as JSON. */
export type Held = Uint8Array | JsonObject;

/** The ids of the wrapping keys that sealed what the column holds. */
export function keyIdsIn({ form }: SealedColumn, held: Held): string[] {
  if (form === "value") return [sealedKeyId(held as Uint8Array)];
  return [...new Set(sealedSecrets(held as JsonObject).map(sealedKeyId))];
}

/** The same under the sealer's own wrapping key. Throws SealError. */
export function resealed(
  sealer: Sealer,
  { table, column, form }: SealedColumn,
  id: string,
  held: Held,
): Held {
  if (form === "config") return reseal(sealer, { table, id }, held as JsonObject);
  const place = { table, id, field: column };
  return sealer.seal(place, sealer.open(place, held as Uint8Array));
}
