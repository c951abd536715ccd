import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Database } from "../platform/database.ts";
import type { Place, Sealer } from "../platform/seal.ts";
import { spkiOf } from "../x509/keys.ts";
import { keyIdOf } from "./evidence.ts";
import { recordAudit, system } from "./record.ts";

/** The key that signs checkpoints. */
export interface AuditKey {
  id: string;
  key: KeyObject;
}

/** Any number that nothing else locks: replicas that start at once make one key. */
const firstKeyLock = 7_220_114_333;

export const auditKeyPlace = (id: string): Place => ({ table: "audit_keys", id, field: "sealed_key" });

/** Opens the newest key, making one at the first start. Throws SealError. */
export async function openAuditKey(db: Database, sealer: Sealer): Promise<AuditKey> {
  return db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${firstKeyLock}::bigint)`;
    const row = await tx.auditKey.findFirst({ orderBy: { createdAt: "desc" } });
    if (row) {
      const pkcs8 = sealer.open(auditKeyPlace(row.id), row.sealedKey);
      return { id: row.id, key: createPrivateKey({ key: pkcs8, type: "pkcs8", format: "der" }) };
    }
    const { privateKey: key } = generateKeyPairSync("ed25519");
    const spki = spkiOf(key);
    const id = keyIdOf(spki);
    const pkcs8 = key.export({ type: "pkcs8", format: "der" });
    await tx.auditKey.create({
      data: {
        id,
        publicKey: new Uint8Array(spki),
        sealedKey: new Uint8Array(sealer.seal(auditKeyPlace(id), pkcs8)),
      },
    });
    await recordAudit(tx, system, { action: "audit_key_created", resourceType: "audit_key", resourceId: id });
    return { id, key };
  });
}
