import type { Extension } from "@peculiar/asn1-x509";
import { KeyUsageFlags } from "@peculiar/asn1-x509";
import { type CertificateContent, nameOf, newSerial } from "../x509/certificate.ts";
import {
  authorityKeyIdentifierOf,
  extendedKeyUsages,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "../x509/extensions.ts";
import type { San } from "../x509/names.ts";
import { type Authority, subjectOf } from "./authority.ts";

const backdateMs = 5 * 60_000;

/** What an end-entity certificate is to say. */
export interface LeafRequest {
  /** May be empty. */
  commonName: string;
  sans: readonly San[];
  /** DER of the SubjectPublicKeyInfo. */
  spki: Buffer;
  isRsa: boolean;
  /** Object identifiers of the extended key usages. */
  usages: readonly string[];
  validitySeconds: number;
  now: Date;
  /** What its profile adds. */
  extensions?: readonly Extension[];
}

/**
 * The profile of every leaf (RFC 5280, 4.2): backdated 5 minutes for clocks that lag, never past its issuer's end, 16
 * random octets of serial number, keyEncipherment for RSA only.
 */
export function leafContent(authority: Authority, request: LeafRequest): CertificateContent {
  const notBefore = new Date(Math.floor((request.now.getTime() - backdateMs) / 1000) * 1000);
  const end = notBefore.getTime() + (request.validitySeconds - 1) * 1000;
  const keyEncipherment = request.isRsa ? KeyUsageFlags.keyEncipherment : 0;
  const extensions: Extension[] = [
    keyUsage(KeyUsageFlags.digitalSignature | keyEncipherment),
    extendedKeyUsages(request.usages),
    subjectAltName(request.sans, request.commonName === ""),
    subjectKeyIdentifier(request.spki),
    authorityKeyIdentifierOf(authority.der),
    ...(request.extensions ?? []),
  ];
  return {
    serial: newSerial(),
    issuer: subjectOf(authority.der),
    subject: nameOf(request.commonName),
    notBefore,
    notAfter: new Date(Math.min(end, Date.parse(authority.certificate.validTo))),
    spki: request.spki,
    extensions,
  };
}
