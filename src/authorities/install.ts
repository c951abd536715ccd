import { createPrivateKey, type KeyObject } from "node:crypto";
import { type Actor, recordAudit } from "../audit/record.ts";
import { enqueue } from "../jobs/queue.ts";
import { conflict, invalid, notFound } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { keyAlgorithmOf, sha256, spkiOf } from "../x509/keys.ts";
import { keepAbove, readCaChain } from "./chain.ts";
import { type AuthorityDeps, keepAuthority, keepRefusal, requireLocalIssuer } from "./keep.ts";

/** Takes the certificate that another CA made of a pending CA's CSR: it signs from then on. */
export async function installAuthority(
  deps: AuthorityDeps,
  actor: Actor,
  { id, certificatePem }: { id: string; certificatePem: string },
): Promise<void> {
  const { db, issuing, clock } = deps;
  const now = clock();
  const { own, above } = readCaChain(certificatePem, now);
  await db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM authorities WHERE id = ${id} FOR NO KEY UPDATE`;
    const row = await tx.authority.findUnique({ where: { id } });
    if (!row) throw notFound("authority", id);
    if (row.certificate) throw conflict("INSTALLED", `${id} has its certificate already`);
    if (!sha256(spkiOf(own.publicKey)).equals(Buffer.from(row.spkiSha256)))
      throw invalid({ field: "certificate_pem", description: `is for another key than ${id}'s` });
    await requireLocalIssuer(tx, row.issuerId ?? "");
    const parentId = await keepAbove(tx, above, now);
    const data = {
      certificate: new Uint8Array(own.raw),
      csr: null,
      parentId,
      activatedAt: now,
      updatedAt: now,
    };
    await tx.authority.update({ where: { id }, data });
    await enqueue(tx, "crl", id);
    await recordAudit(tx, actor, {
      action: "authority_installed",
      resourceType: "authority",
      resourceId: id,
      details: { subject: own.subject, parent_id: parentId, not_after: own.validTo },
    });
  });
  issuing.refresh();
}

/** Takes an issuing CA that exists elsewhere, with its key. Returns its id. */
export async function importAuthority(
  deps: AuthorityDeps,
  actor: Actor,
  wanted: {
    name: string;
    issuerId: string;
    certificatePem: string;
    privateKeyPem: string;
    passphrase: string;
  },
): Promise<string> {
  const { db, issuing, clock } = deps;
  const { name, issuerId } = wanted;
  const now = clock();
  const id = newId("ca");
  const { own, above } = readCaChain(wanted.certificatePem, now);
  const key = readPrivateKey(wanted);
  const spki = spkiOf(key);
  if (!spki.equals(spkiOf(own.publicKey)))
    throw invalid({ field: "private_key_pem", description: "is not the key of the first certificate" });
  if (!keyAlgorithmOf(own.publicKey))
    throw invalid({ field: "private_key_pem", description: "is of a kind that certctl does not sign with" });
  try {
    await db.$transaction(async (tx) => {
      await requireLocalIssuer(tx, issuerId);
      const parentId = await keepAbove(tx, above, now);
      const facts = { id, name, issuerId, parentId, role: "issuing-ca", key, spki } as const;
      const audit = {
        action: "authority_imported",
        details: { subject: own.subject, not_after: own.validTo },
      };
      await keepAuthority(tx, deps, actor, { ...facts, certificate: own.raw, csr: null }, audit);
    });
  } catch (error) {
    throw keepRefusal(error, id);
  }
  issuing.refresh();
  return id;
}

/** Reads a private key, PKCS #8 PEM. Throws InvalidArgument. */
export function readPrivateKey({
  privateKeyPem,
  passphrase,
}: {
  privateKeyPem: string;
  passphrase: string;
}): KeyObject {
  const isEncrypted = privateKeyPem.includes("ENCRYPTED");
  if (isEncrypted && passphrase === "")
    throw invalid({ field: "passphrase", description: "is missing: the key is encrypted" });
  try {
    return createPrivateKey({ key: privateKeyPem, format: "pem", ...(isEncrypted && { passphrase }) });
  } catch {
    throw invalid(
      isEncrypted
        ? { field: "passphrase", description: "does not open the key, or that is no PKCS #8" }
        : { field: "private_key_pem", description: "is no private key, PKCS #8 in PEM" },
    );
  }
}
