import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { recordAudit, system } from "../audit/record.ts";
import { newSecret } from "../auth/secrets.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { countAdmins, lockAdminKeys } from "./last-admin.ts";

/**
 * Where no admin key is in force, as at the first start, makes one and leaves it in admin.key of the data directory, for
 * its owner only. Replicas that start at once make one key.
 */
export async function ensureAdminKey(db: Database, dataDir: string, now: Date): Promise<void> {
  await db.$transaction(async (tx) => {
    await lockAdminKeys(tx);
    if ((await countAdmins(tx, now)) > 0) return;
    const id = newId("ak");
    const { token, hash } = newSecret(id);
    await tx.apiKey.create({
      data: { id, name: "first admin key", role: "admin", secretHash: hash, createdAt: now },
    });
    await recordAudit(tx, system, {
      action: "api_key_created",
      resourceType: "api_key",
      resourceId: id,
      details: { after: { role: "admin" } },
    });
    // Before the commit: a key that nobody was told would lock everybody out.
    await writeFile(join(dataDir, "admin.key"), `${token}\n`, { mode: 0o600, flush: true });
  });
}
