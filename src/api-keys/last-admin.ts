import type { Transaction } from "../platform/database.ts";
import { conflict } from "../platform/errors.ts";

/** Any number that nothing else locks: two admins cannot end each other's keys at once. */
const adminKeysLock = 7_220_114_332;

/** Holds the set of admin keys still until the transaction ends. */
export async function lockAdminKeys(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${adminKeysLock}::bigint)`;
}

/** How many keys may do everything now, the one with that id not counted. */
export async function countAdmins(tx: Transaction, now: Date, exceptId = ""): Promise<number> {
  return tx.apiKey.count({
    where: {
      id: { not: exceptId },
      role: "admin",
      teamIds: { isEmpty: true },
      issuerIds: { isEmpty: true },
      revokedAt: null,
      OR: [{ expiresAt: null }, { expiresAt: { gt: now } }],
    },
  });
}

/** Throws when the key is the last with which keys can be made at all. */
export async function requireAnotherAdmin(tx: Transaction, now: Date, id: string): Promise<void> {
  if ((await countAdmins(tx, now, id)) > 0) return;
  throw conflict("LAST_ADMIN_KEY", `${id} is the last admin key that is in force; make another first`);
}
