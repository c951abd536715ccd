import type { Database } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";
import { StartupError } from "../platform/startup-error.ts";
import { keyCheckColumn } from "./columns.ts";
import { wrappingKeysInUse } from "./rotate.ts";

/**
 * Throws StartupError when something in the database is sealed with a wrapping key that is not at hand: found at the start,
 * not when the value is needed.
 */
export async function requireOpenable(db: Database, sealer: Sealer): Promise<void> {
  const inUse = await wrappingKeysInUse(db);
  const unknown = [...inUse]
    .filter(([keyId]) => !sealer.keyIds.includes(keyId))
    .flatMap(([, places]) => places);
  // A key that opens nothing at all is another mistake, which the opening of the installation names.
  if (unknown.length === 0 || unknown.some((place) => place.startsWith(`${keyCheckColumn.table} `))) return;
  const some = unknown.slice(0, 5).join(", ");
  throw new StartupError(
    `${unknown.length} values in the database are sealed with another wrapping key (${some}); name that key in CERTCTL_CONFIG_DECRYPTION_KEYS and run certctl keys rotate`,
  );
}
