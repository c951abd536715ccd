import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { recordAudit, system } from "../audit/record.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { newSecret } from "./secrets.ts";

/** Any number that nothing else locks: replicas that start at once make one key. */
const adminKeyLock = 7_220_114_332;

/** At the first start, makes the admin's API key and leaves it in admin.key of the data directory, for its owner only. */
export async function ensureAdminKey(db: Database, dataDir: string): Promise<void> {
  await db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${adminKeyLock}::bigint)`;
    if ((await tx.apiKey.count({ where: { role: "admin" } })) > 0) return;
    const id = newId("ak");
    const { token, hash } = newSecret(id);
    await tx.apiKey.create({ data: { id, name: "first admin key", role: "admin", secretHash: hash } });
    await recordAudit(tx, system, {
      action: "api_key_created",
      resourceType: "api_key",
      resourceId: id,
      details: { role: "admin" },
    });
    // Before the commit: a key that nobody was told would lock everybody out.
    await writeFile(join(dataDir, "admin.key"), `${token}\n`, { mode: 0o600, flush: true });
  });
}
