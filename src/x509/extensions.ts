import { createHash } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  ExtendedKeyUsage,
  Extension,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  NameConstraints,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
} from "@peculiar/asn1-x509";
import { NameError, parseSan, type San } from "./names.ts";

export const extendedKeyUsage = { serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2" } as const;

function extension(extnID: string, critical: boolean, value: object): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

export function basicConstraints(pathLenConstraint?: number): Extension {
  const value = new BasicConstraints({
    cA: true,
    ...(pathLenConstraint === undefined ? {} : { pathLenConstraint }),
  });
  return extension(id_ce_basicConstraints, true, value);
}

export function keyUsage(flags: number): Extension {
  return extension(id_ce_keyUsage, true, new KeyUsage(flags));
}

export function extendedKeyUsages(usages: readonly string[]): Extension {
  return extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage([...usages]));
}

/** Critical iff the subject is empty (RFC 5280, 4.2.1.6). */
export function subjectAltName(sans: readonly San[], isSubjectEmpty: boolean): Extension {
  return extension(id_ce_subjectAltName, isSubjectEmpty, new SubjectAlternativeName(sans.map(generalName)));
}

/** Restricts what a CA may sign to URIs of one host (RFC 5280, 4.2.1.10). */
export function permittedUriHost(host: string): Extension {
  const subtree = new GeneralSubtree({ base: new GeneralName({ uniformResourceIdentifier: host }) });
  return extension(
    id_ce_nameConstraints,
    true,
    new NameConstraints({ permittedSubtrees: new GeneralSubtrees([subtree]) }),
  );
}

export function subjectKeyIdentifier(spki: Uint8Array): Extension {
  return extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyIdentifier(spki)));
}

export function authorityKeyIdentifier(issuerSpki: Uint8Array): Extension {
  const value = new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(issuerSpki)) });
  return extension(id_ce_authorityKeyIdentifier, false, value);
}

/** The left 160 bits of the key's SHA-256 (RFC 7093, method 1). */
function keyIdentifier(spki: Uint8Array): ArrayBuffer {
  const { subjectPublicKey } = AsnConvert.parse(spki, SubjectPublicKeyInfo);
  const digest = createHash("sha256").update(Buffer.from(subjectPublicKey)).digest();
  return Uint8Array.from(digest.subarray(0, 20)).buffer;
}

function generalName({ type, value }: San): GeneralName {
  switch (type) {
    case "dns":
      return new GeneralName({ dNSName: value });
    case "ip":
      return new GeneralName({ iPAddress: value });
    case "email":
      return new GeneralName({ rfc822Name: value });
    case "uri":
      return new GeneralName({ uniformResourceIdentifier: value });
  }
}

/** The subject alternative names among extensions. Throws NameError for a kind that certctl does not issue. */
export function sansOf(extensions: Iterable<Extension>): San[] {
  const found = [...extensions].find(({ extnID }) => extnID === id_ce_subjectAltName);
  if (!found) return [];
  return Array.from(AsnConvert.parse(found.extnValue.buffer, SubjectAlternativeName), sanOf);
}

function sanOf(name: GeneralName): San {
  const read: [San["type"], string | undefined][] = [
    ["dns", name.dNSName],
    ["ip", name.iPAddress],
    ["email", name.rfc822Name],
    ["uri", name.uniformResourceIdentifier],
  ];
  const present = read.find(([, text]) => text !== undefined);
  const text = present?.[1];
  if (!present || text === undefined)
    throw new NameError("a subject alternative name that is no DNS name, IP address, e-mail address or URI");
  const san = parseSan(text);
  if (san.type !== present[0]) throw new NameError(`"${text}" is not of its kind (${present[0]})`);
  return san;
}
