import type { KeyObject } from "node:crypto";
import { type Actor, recordAudit } from "../audit/record.ts";
import type { Transaction } from "../platform/database.ts";
import { conflict, invalid, notFound } from "../platform/errors.ts";
import { sha256, spkiOf } from "../x509/keys.ts";
import { pem } from "../x509/pem.ts";
import { readPrivateKey } from "./install.ts";
import type { AuthorityDeps } from "./keep.ts";
import { authorityOf, sealedKeyPlace } from "./row.ts";

/** Encrypts the key of a root under a passphrase (PKCS #8, AES-256). It stays where it is. */
export async function exportAuthorityKey(
  { db, sealer }: AuthorityDeps,
  actor: Actor,
  { id, passphrase }: { id: string; passphrase: string },
): Promise<{ privateKeyPem: string; certificatePem: string }> {
  return db.$transaction(async (tx) => {
    const row = await requireRoot(tx, id);
    if (!row.sealedKey) throw conflict("KEY_OFFLINE", `the key of ${id} is not here`);
    const { key, der } = authorityOf(row, null, { sealer, token: null });
    const exported = (key as KeyObject).export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase,
    });
    await recordAudit(tx, actor, {
      action: "authority_key_exported",
      resourceType: "authority",
      resourceId: id,
    });
    return { privateKeyPem: exported.toString(), certificatePem: pem("CERTIFICATE", der) };
  });
}

/** Removes the key of a root; `keySha256` is of the public key, as whoever opened the exported file reads it there. */
export async function takeAuthorityOffline(
  { db, issuing, clock }: AuthorityDeps,
  actor: Actor,
  { id, keySha256 }: { id: string; keySha256: string },
): Promise<void> {
  await db.$transaction(async (tx) => {
    const row = await requireRoot(tx, id);
    if (row.keyPlace === "offline") return;
    if (!row.sealedKey) throw conflict("KEY_OFFLINE", `the key of ${id} is not here`);
    if (Buffer.from(row.spkiSha256).toString("hex") !== keySha256)
      throw invalid({
        field: "key_sha256",
        description: `is not of ${id}'s key: export the key, open the file, and send the SHA-256 of its public key`,
      });
    const exports = await tx.auditEvent.count({
      where: { action: "authority_key_exported", resourceId: id },
    });
    if (exports === 0)
      throw conflict("NOT_EXPORTED", `the key of ${id} was never exported: without it nothing signs again`);
    const data = { sealedKey: null, keyPlace: "offline", updatedAt: clock() };
    await tx.authority.update({ where: { id }, data });
    await recordAudit(tx, actor, {
      action: "authority_taken_offline",
      resourceType: "authority",
      resourceId: id,
    });
  });
  issuing.refresh();
}

/** Brings the key of a root back. */
export async function restoreAuthorityKey(
  { db, sealer, issuing, clock }: AuthorityDeps,
  actor: Actor,
  { id, ...file }: { id: string; privateKeyPem: string; passphrase: string },
): Promise<void> {
  const key = readPrivateKey(file);
  await db.$transaction(async (tx) => {
    const row = await requireRoot(tx, id);
    if (!sha256(spkiOf(key)).equals(Buffer.from(row.spkiSha256)))
      throw invalid({ field: "private_key_pem", description: `is not the key of ${id}` });
    if (row.keyPlace === "database") return;
    const pkcs8 = key.export({ type: "pkcs8", format: "der" });
    const sealedKey = new Uint8Array(sealer.seal(sealedKeyPlace(id), pkcs8));
    await tx.authority.update({
      where: { id },
      data: { sealedKey, keyPlace: "database", updatedAt: clock() },
    });
    await recordAudit(tx, actor, {
      action: "authority_key_restored",
      resourceType: "authority",
      resourceId: id,
    });
  });
  issuing.refresh();
}

async function requireRoot(tx: Transaction, id: string) {
  await tx.$queryRaw`SELECT 1 FROM authorities WHERE id = ${id} FOR NO KEY UPDATE`;
  const row = await tx.authority.findUnique({ where: { id } });
  if (!row) throw notFound("authority", id);
  if (row.role !== "issuing-root")
    throw conflict(
      "NO_ROOT",
      `${id} is no root of the issuing tree: it has to sign every day, so its key stays`,
    );
  return row;
}
