import { randomBytes } from "node:crypto";

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** A new id: the prefix and 12 random lower-case base32 characters. */
export function newId(prefix: string): string {
  return `${prefix}-${Array.from(randomBytes(12), (byte) => alphabet[byte % 32]).join("")}`;
}
