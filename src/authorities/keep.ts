import type { KeyObject } from "node:crypto";
import { type Actor, recordAudit } from "../audit/record.ts";
import { enqueue } from "../jobs/queue.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { isUniqueViolation } from "../platform/database.ts";
import { alreadyExists, conflict, invalid } from "../platform/errors.ts";
import type { Sealer } from "../platform/seal.ts";
import { sha256 } from "../x509/keys.ts";
import type { Authority } from "./authority.ts";
import type { IssuingAuthorities } from "./issuing.ts";
import { sealedKeyPlace } from "./row.ts";

export interface AuthorityDeps {
  db: Database;
  sealer: Sealer;
  issuing: IssuingAuthorities;
  clock: () => Date;
}

/** A CA that is to be stored with its key; without a certificate it waits for one. */
export interface KeptAuthority {
  id: string;
  name: string;
  issuerId: string | null;
  parentId: string | null;
  role: "issuing-root" | "issuing-ca";
  certificate: Buffer | null;
  csr: Buffer | null;
  /** Sealed here; null: it lies in the hardware token. */
  key: KeyObject | null;
  spki: Buffer;
}

/** Stores a CA. With certificate and issuer it signs from this commit on. */
export async function keepAuthority(
  tx: Transaction,
  { sealer, clock }: AuthorityDeps,
  actor: Actor,
  kept: KeptAuthority,
  audit: { action: string; details: Record<string, string | null> },
): Promise<void> {
  const { id, certificate, csr, key, spki, ...facts } = kept;
  const now = clock();
  const pkcs8 = key?.export({ type: "pkcs8", format: "der" });
  const signs = certificate !== null && facts.issuerId !== null;
  await tx.authority.create({
    data: {
      id,
      ...facts,
      certificate: certificate && new Uint8Array(certificate),
      csr: csr && new Uint8Array(csr),
      keyPlace: pkcs8 ? "database" : "pkcs11",
      sealedKey: pkcs8 ? new Uint8Array(sealer.seal(sealedKeyPlace(id), pkcs8)) : null,
      spkiSha256: new Uint8Array(sha256(spki)),
      activatedAt: signs ? now : null,
      createdAt: now,
      updatedAt: now,
    },
  });
  if (signs) await enqueue(tx, "crl", id);
  await recordAudit(tx, actor, {
    action: audit.action,
    resourceType: "authority",
    resourceId: id,
    details: { name: facts.name, role: facts.role, issuer_id: facts.issuerId, ...audit.details },
  });
}

/** The issuer that a CA is to sign for. Throws where there is none of the local kind. */
export async function requireLocalIssuer(tx: Transaction, issuerId: string): Promise<void> {
  const [issuer] = await tx.$queryRaw<{ kind: string }[]>`
    SELECT kind FROM issuers WHERE id = ${issuerId} AND archived_at IS NULL FOR SHARE`;
  if (!issuer) throw invalid({ field: "issuer_id", description: `issuer ${issuerId} does not exist` });
  if (issuer.kind !== "local-ca")
    throw invalid({
      field: "issuer_id",
      description: `${issuerId} is of the kind ${issuer.kind}; certctl's own CAs sign for local-ca only`,
    });
}

/** A CA whose key is here and that is valid: it can sign others. Throws. */
export function requireParent(parent: Authority | null, id: string, now: Date): Authority {
  if (!parent) throw invalid({ field: "parent_id", description: `there is no CA ${id}` });
  if (Date.parse(parent.certificate.validTo) <= now.getTime())
    throw conflict("EXPIRED", `${id} ended at ${parent.certificate.validTo}`);
  return parent;
}

/** What a database's refusal of a CA means. */
export function keepRefusal(error: unknown, id: string): unknown {
  if (isUniqueViolation(error, "spki")) return conflict("KEY_REUSED", "there is a CA with this key already");
  return isUniqueViolation(error) ? alreadyExists("authority", id) : error;
}
