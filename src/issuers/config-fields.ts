import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { fromPem } from "../x509/pem.ts";

/** Fields that several kinds of issuer have. */

/** A command in server.yaml, by its name; forms offer those that there are. */
export function commandName(description: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "has to be the name of a command in server.yaml")
    .meta({ description, command: true });
}

/** Certificates in PEM. */
export function caCertificates(description: string) {
  return z
    .string()
    .max(65_536)
    .refine(areCertificates, { error: "has to be certificates in PEM" })
    .meta({ description });
}

function areCertificates(text: string): boolean {
  try {
    return fromPem("CERTIFICATE", text).map((der) => new X509Certificate(der)).length > 0;
  } catch {
    return false;
  }
}
