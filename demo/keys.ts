import { generateKeyPairSync, type KeyObject } from "node:crypto";

/** A key as an agent would make it: "ECDSA-P256", "RSA-2048". */
export function newKey(algorithm: string): KeyObject {
  const [kind, size = ""] = algorithm.split("-");
  if (kind === "RSA") return generateKeyPairSync("rsa", { modulusLength: Number(size) }).privateKey;
  return generateKeyPairSync("ec", { namedCurve: size.replace("P", "P-") }).privateKey;
}
