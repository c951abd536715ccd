import { X509Certificate } from "node:crypto";
import { z } from "zod";

/** Fields that several kinds have. */

/** A URL that carries no credentials where nobody looks for them. */
export function webUrl(...protocols: ("https" | "http")[]) {
  const protocol = new RegExp(`^(${protocols.join("|")})$`);
  return z
    .url({ protocol, error: `must be a URL that begins with ${protocols.join(":// or ")}://` })
    .refine(hasNoCredentials, { error: "must not hold a user name or a password" });
}

function hasNoCredentials(url: string): boolean {
  // What is no URL at all is told by the check before.
  if (!URL.canParse(url)) return true;
  const { username, password } = new URL(url);
  return username === "" && password === "";
}

/** Whom the other side's certificate must come from; what the system trusts when left out. */
export const ca = z
  .string()
  .max(65_536)
  .refine(isPem, { error: "must be certificates in PEM" })
  .meta({ destination: true, description: "CA certificates in PEM, instead of the well-known ones" })
  .optional();

function isPem(text: string): boolean {
  if (text.includes("PRIVATE KEY")) return false;
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}
