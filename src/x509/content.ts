import { X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  Certificate,
  ExtendedKeyUsage,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
} from "@peculiar/asn1-x509";
import { extendedKeyUsage, sansOf } from "./extensions.ts";
import { keyAlgorithmOf } from "./keys.ts";

/** What a certificate says. */
export interface CertificateContent {
  subject: string;
  issuer: string;
  serialNumber: string;
  fingerprintSha256: string;
  notBefore: Date;
  notAfter: Date;
  keyAlgorithm: string;
  signatureAlgorithm: string;
  keyUsage: string[];
  extendedKeyUsage: string[];
  sans: string[];
  isCa: boolean;
}

/** Reads a certificate, DER. Throws for what is none. */
export function contentOf(der: Uint8Array): CertificateContent {
  const certificate = new X509Certificate(der);
  const { signatureAlgorithm, tbsCertificate } = AsnConvert.parse(der, Certificate);
  const extensions = tbsCertificate.extensions ?? [];
  const find = (id: string) => extensions.find(({ extnID }) => extnID === id)?.extnValue.buffer;
  const usage = find(id_ce_keyUsage);
  const extended = find(id_ce_extKeyUsage);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    serialNumber: certificate.serialNumber.toUpperCase(),
    fingerprintSha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    keyAlgorithm: keyName(certificate),
    signatureAlgorithm: signatureNames[signatureAlgorithm.algorithm] ?? signatureAlgorithm.algorithm,
    keyUsage: usage ? usageNames(AsnConvert.parse(usage, KeyUsage).toNumber()) : [],
    extendedKeyUsage: extended ? Array.from(AsnConvert.parse(extended, ExtendedKeyUsage), purposeName) : [],
    sans: sansOf(extensions).map(({ value }) => value),
    isCa: certificate.ca,
  };
}

/** Node writes a distinguished name's parts on lines of their own, and nothing for an empty one. */
function oneLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}

function keyName({ publicKey }: X509Certificate): string {
  const { namedCurve, modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  const other = [publicKey.asymmetricKeyType, namedCurve ?? modulusLength].filter(
    (part) => part !== undefined,
  );
  return keyAlgorithmOf(publicKey) ?? other.join(" ");
}

const signatureNames: Record<string, string> = {
  "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
  "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
  "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
  "1.2.840.113549.1.1.5": "RSA with SHA-1",
  "1.2.840.113549.1.1.11": "RSA with SHA-256",
  "1.2.840.113549.1.1.12": "RSA with SHA-384",
  "1.2.840.113549.1.1.13": "RSA with SHA-512",
  "1.3.101.112": "Ed25519",
};

function usageNames(flags: number): string[] {
  return Object.entries(KeyUsageFlags).flatMap(([name, flag]) =>
    typeof flag === "number" && (flags & flag) !== 0 ? [name] : [],
  );
}

function purposeName(id: string): string {
  return Object.entries(extendedKeyUsage).find(([, known]) => known === id)?.[0] ?? id;
}
