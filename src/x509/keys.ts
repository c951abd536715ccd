import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { AlgorithmIdentifier } from "@peculiar/asn1-x509";

/** The keys that certificates may have; the words are the API's. */
export const keyAlgorithms = ["ECDSA-P256", "ECDSA-P384", "RSA-2048", "RSA-3072", "RSA-4096"] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

const curves = { prime256v1: "ECDSA-P256", secp384r1: "ECDSA-P384" } as const;

/** Which of `keyAlgorithms` a public key is, or null: another curve, size or public exponent. */
export function keyAlgorithmOf(key: KeyObject): KeyAlgorithm | null {
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "ec") return curves[details.namedCurve as keyof typeof curves] ?? null;
  if (key.asymmetricKeyType !== "rsa") return null;
  const exponent = details.publicExponent ?? 0n;
  if (exponent < 65537n || exponent % 2n === 0n) return null;
  return keyAlgorithms.find((name) => name === `RSA-${details.modulusLength}`) ?? null;
}

/** A private key that is not in this process's memory, or not there at all: signing says so. */
export interface KeyHandle {
  readonly publicKey: KeyObject;
  /** A signature as certificates carry it: DER for ECDSA, PKCS #1 v1.5 for RSA. */
  sign(hash: "sha256" | "sha384", data: Uint8Array): Buffer;
}

/** What signs. */
export type Signer = KeyObject | KeyHandle;

function isHandle(key: Signer): key is KeyHandle {
  return "publicKey" in key;
}

/** The hash that goes with a signing key: as strong as its curve. */
export function hashFor(signer: Signer): "sha256" | "sha384" {
  const key = isHandle(signer) ? signer.publicKey : signer;
  return key.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "sha384" : "sha256";
}

/** The AlgorithmIdentifier of signatures by this key (RFC 5758, RFC 8017). */
export function signatureAlgorithm(signer: Signer): AlgorithmIdentifier {
  const key = isHandle(signer) ? signer.publicKey : signer;
  if (key.asymmetricKeyType === "rsa") {
    return new AlgorithmIdentifier({
      algorithm: "1.2.840.113549.1.1.11",
      parameters: Uint8Array.of(5, 0).buffer,
    });
  }
  const isP384 = hashFor(key) === "sha384";
  return new AlgorithmIdentifier({ algorithm: isP384 ? "1.2.840.10045.4.3.3" : "1.2.840.10045.4.3.2" });
}

export function signBytes(signer: Signer, data: Uint8Array): Buffer {
  const hash = hashFor(signer);
  return isHandle(signer) ? signer.sign(hash, data) : sign(hash, data, signer);
}

export function isSignedBy(key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  return verify(hashFor(key), data, key, signature);
}

/** The SubjectPublicKeyInfo of a private or public key, DER. */
export function spkiOf(signer: Signer): Buffer {
  const key = isHandle(signer) ? signer.publicKey : signer;
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

export function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}
