import { AsnConvert } from "@peculiar/asn1-schema";
import {
  BasicConstraints,
  Certificate,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
} from "@peculiar/asn1-x509";
import { extensionValue } from "../x509/extensions.ts";
import { isPermitted, type NameConstraints } from "../x509/name-constraints.ts";
import type { Authority } from "./authority.ts";
import { limitsOf } from "./may-sign.ts";

/** What a certificate says of the right to sign others. */
export interface CaRights {
  isCa: boolean;
  /** Undefined: any number of CAs may follow. */
  pathLength: number | undefined;
  signsCertificates: boolean;
  signsCrls: boolean;
}

export function rightsOf(der: Uint8Array): CaRights {
  const extensions = AsnConvert.parse(der, Certificate).tbsCertificate.extensions ?? [];
  const basic = extensionValue(extensions, id_ce_basicConstraints);
  const usage = extensionValue(extensions, id_ce_keyUsage);
  const constraints = basic && AsnConvert.parse(basic, BasicConstraints);
  // Without the extension a key is for everything (RFC 5280, 4.2.1.3).
  const flags = usage
    ? AsnConvert.parse(usage, KeyUsage).toNumber()
    : KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;
  return {
    isCa: constraints?.cA === true,
    pathLength: constraints?.pathLenConstraint,
    signsCertificates: (flags & KeyUsageFlags.keyCertSign) !== 0,
    signsCrls: (flags & KeyUsageFlags.cRLSign) !== 0,
  };
}

/** Why a CA below this one would not be accepted: path lengths and name constraints of every CA above it count. Null: it would. */
export function reasonNotToSignCa(
  parent: Authority,
  { pathLength, names }: { pathLength: number; names: NameConstraints | null },
): { field: string; description: string } | null {
  let below = pathLength + 1;
  for (let ca: Authority | null = parent; ca; ca = ca.parent) {
    const { pathLength: most } = rightsOf(ca.der);
    if (most !== undefined && most < below) {
      const field = pathLength > 0 ? "path_length" : "parent_id";
      return { field, description: `${ca.id} may have ${most} CAs below it, not ${below}` };
    }
    const limits = limitsOf(ca).names;
    const wanted = [
      ...(names?.permitted.dns ?? []).map((value) => ({ type: "dns", value }) as const),
      ...(names?.permitted.ip ?? []).map(
        (value) => ({ type: "ip", value: value.split("/")[0] ?? "" }) as const,
      ),
    ];
    const foreign = limits && wanted.find((name) => !isPermitted(limits, name));
    if (foreign)
      return { field: "names", description: `${foreign.value} is not among what ${ca.id} may sign for` };
    below += 1;
  }
  return null;
}
