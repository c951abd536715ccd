import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import type { Authority as AuthorityRow } from "#gen/prisma/client.ts";
import type { HardwareToken } from "../platform/hardware-token.ts";
import type { Place, Sealer } from "../platform/seal.ts";
import { partsOf } from "../x509/der-certificate.ts";
import type { KeyHandle, Signer } from "../x509/keys.ts";
import type { Authority, Role } from "./authority.ts";

/** Thrown when a CA is to sign whose key is not at hand; the message says what to do. */
export class KeyAbsentError extends Error {}

export const sealedKeyPlace = (id: string): Place => ({ table: "authorities", id, field: "sealed_key" });

/** A stored CA that has its certificate. Throws SealError. */
export function authorityOf(
  row: AuthorityRow,
  parent: Authority | null,
  { sealer, token }: { sealer: Sealer; token: HardwareToken | null },
): Authority {
  if (!row.certificate) throw new Error(`${row.id} has no certificate yet`);
  const der = Buffer.from(row.certificate);
  const { spki } = partsOf(der);
  return {
    id: row.id,
    role: row.role as Role,
    der,
    certificate: new X509Certificate(der),
    key: keyOf(row, spki, sealer, token),
    spki: Buffer.from(spki),
    parent,
  };
}

function keyOf(
  { id, keyPlace, sealedKey }: AuthorityRow,
  spki: Buffer,
  sealer: Sealer,
  token: HardwareToken | null,
): Signer {
  if (sealedKey) {
    const pkcs8 = sealer.open(sealedKeyPlace(id), sealedKey);
    return createPrivateKey({ key: pkcs8, type: "pkcs8", format: "der" });
  }
  if (keyPlace === "pkcs11" && token)
    return token.key(id, createPublicKey({ key: spki, type: "spki", format: "der" }));
  return absentKey(id, keyPlace, spki);
}

function absentKey(id: string, keyPlace: string, spki: Buffer): KeyHandle {
  return {
    publicKey: createPublicKey({ key: spki, type: "spki", format: "der" }),
    sign() {
      throw new KeyAbsentError(
        keyPlace === "pkcs11"
          ? `the key of ${id} lies in a hardware token: set CERTCTL_PKCS11_MODULE on this control plane`
          : keyPlace === "offline"
            ? `the key of ${id} is offline: bring it back, or have the CA's certificate signed elsewhere`
            : `the key of ${id} is not ours`,
      );
    },
  };
}
