import { AsnConvert } from "@peculiar/asn1-schema";
import {
  Certificate,
  ExtendedKeyUsage,
  type Extension,
  id_ce_extKeyUsage,
  id_ce_nameConstraints,
} from "@peculiar/asn1-x509";
import { extensionValue } from "../x509/extensions.ts";
import { isPermitted, type NameConstraints, readNameConstraints } from "../x509/name-constraints.ts";
import type { San } from "../x509/names.ts";
import type { Authority } from "./authority.ts";

/** What the certificate of a CA lets it sign. */
export interface Limits {
  /** Null: every name. */
  names: NameConstraints | null;
  /** Object identifiers of extended key usages; null: all of them. */
  usages: string[] | null;
}

const known = new WeakMap<Authority, Limits>();

export function limitsOf(authority: Authority): Limits {
  const before = known.get(authority);
  if (before) return before;
  const usages = extensionValue(extensionsOf(authority.der), id_ce_extKeyUsage);
  const limits = {
    names: constraintsOf(authority.der),
    usages: usages && [...AsnConvert.parse(usages, ExtendedKeyUsage)],
  };
  known.set(authority, limits);
  return limits;
}

/** The name constraints of a CA's certificate, DER; null: there are none. */
export function constraintsOf(der: Uint8Array): NameConstraints | null {
  const names = extensionValue(extensionsOf(der), id_ce_nameConstraints);
  return names && readNameConstraints(names);
}

function extensionsOf(der: Uint8Array): Iterable<Extension> {
  return AsnConvert.parse(der, Certificate).tbsCertificate.extensions ?? [];
}

/**
 * Why whoever checks the chain would not accept a leaf of this CA: its own constraints and those of every CA above it count. Null:
 * it would.
 */
export function reasonNotToSign(
  authority: Authority,
  leaf: { sans: readonly San[]; usages: readonly string[] },
): string | null {
  const { names, usages } = limitsOf(authority);
  const foreign = names && leaf.sans.find((san) => !isPermitted(names, san));
  if (foreign)
    return `${authority.id} may not sign for ${foreign.value}: its name constraints do not allow it`;
  if (usages && leaf.usages.some((usage) => !usages.includes(usage)))
    return `${authority.id} may not sign for that purpose: its extended key usages do not allow it`;
  return authority.parent && reasonNotToSign(authority.parent, leaf);
}
