import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(generateKeyPair);
const curves: Record<string, string> = { "ECDSA-P256": "P-256", "ECDSA-P384": "P-384" };

/** Makes a private key; `keyAlgorithm` is one of `keyAlgorithms`. */
export async function newKey(keyAlgorithm: string): Promise<KeyObject> {
  const namedCurve = curves[keyAlgorithm];
  if (namedCurve) return (await generate("ec", { namedCurve })).privateKey;
  const [kind, bits] = keyAlgorithm.split("-");
  if (kind !== "RSA") throw new Error(`no keys of the kind ${keyAlgorithm} are made here`);
  return (await generate("rsa", { modulusLength: Number(bits) })).privateKey;
}
