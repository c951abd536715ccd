import "reflect-metadata";
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension, X509Certificate } from "@peculiar/x509";
import type { Decoded } from "./decode.ts";

/** Reads a PEM certificate. Throws for one that is none. */
export async function readCertificate(pem: string): Promise<Decoded> {
  const certificate = new X509Certificate(pem);
  const digest = await crypto.subtle.digest("SHA-256", certificate.rawData);
  return {
    subject: certificate.subject,
    names: namesOf(certificate.getExtension(SubjectAlternativeNameExtension)),
    issuer: certificate.issuer,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    serial: certificate.serialNumber.toUpperCase(),
    fingerprint: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
}

/** Reads a PEM signing request. Throws for one that is none. */
export function readRequest(pem: string): Decoded {
  const request = new Pkcs10CertificateRequest(pem);
  const extension = request.getExtension("2.5.29.17");
  return {
    subject: request.subject,
    names: namesOf(extension && new SubjectAlternativeNameExtension(extension.rawData)),
  };
}

function namesOf(extension: SubjectAlternativeNameExtension | null): string[] {
  return extension ? extension.names.items.map(({ value }) => value) : [];
}
