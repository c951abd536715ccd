import { generateKeyPairSync } from "node:crypto";

/** A key for calls that are not signed: acme-client wants one. PEM. */
export function throwawayKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}
