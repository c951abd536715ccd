import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** A new secret under an id: `token` goes to its holder once, `hash` is stored. */
export function newSecret(id: string): { token: string; hash: Uint8Array<ArrayBuffer> } {
  const secret = randomBytes(32).toString("base64url");
  return { token: `${id}_${secret}`, hash: hashSecret(secret) };
}

/** 256 random bits need no slow hash. */
export function hashSecret(secret: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(secret).digest());
}

/** Splits "ak-…_…" into its id and secret; null when it is no such token. */
export function parseToken(token: string, prefix: "ak" | "jt" | "ss"): { id: string; secret: string } | null {
  const match = /^([a-z]{2}-[a-z0-9-]{1,64})_([A-Za-z0-9_-]{43})$/.exec(token);
  const [, id, secret] = match ?? [];
  return id?.startsWith(`${prefix}-`) && secret ? { id, secret } : null;
}

export function isSecret(secret: string, hash: Uint8Array): boolean {
  return isSameHash(hashSecret(secret), hash);
}

/** Compares in constant time. */
export function isSameHash(given: Uint8Array, hash: Uint8Array): boolean {
  return given.length === hash.length && timingSafeEqual(given, hash);
}
