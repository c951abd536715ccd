import { AsnConvert } from "@peculiar/asn1-schema";
import { AuthorityKeyIdentifier, Certificate, id_ce_authorityKeyIdentifier } from "@peculiar/asn1-x509";
import type { SignedCertificate } from "../issuer.ts";

/** How RFC 9773 names a certificate: its issuer's key identifier and its serial number. Null: it has no such identifier. */
export function renewalId({ leafDer }: Pick<SignedCertificate, "leafDer">): string | null {
  const { tbsCertificate } = AsnConvert.parse(leafDer, Certificate);
  const found = tbsCertificate.extensions?.find(({ extnID }) => extnID === id_ce_authorityKeyIdentifier);
  if (!found) return null;
  const { keyIdentifier } = AsnConvert.parse(found.extnValue.buffer, AuthorityKeyIdentifier);
  if (!keyIdentifier) return null;
  const parts = [keyIdentifier.buffer, tbsCertificate.serialNumber];
  return parts.map((part) => Buffer.from(part).toString("base64url")).join(".");
}
