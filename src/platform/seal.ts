import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

/**
 * Seals secrets for the database: AES-256-GCM under a data key of their own, which the wrapping key encrypts. The
 * place of a secret (table, id, field) is authenticated with it: moved elsewhere it does not open.
 */
export interface Sealer {
  /** Names the wrapping key that seals: hexadecimal, no secret. */
  readonly keyId: string;
  /** Of every wrapping key that opens, the one that seals first. */
  readonly keyIds: readonly string[];
  seal(place: Place, secret: Uint8Array): Buffer;
  /** Throws SealError for a wrapping key that is not known, another place or changed bytes. */
  open(place: Place, sealed: Uint8Array): Buffer;
}

export interface Place {
  table: string;
  id: string;
  field: string;
}

export class SealError extends Error {}

const layout = { version: 1, keyId: 8, nonce: 12, tag: 16, dataKey: 32 };

/** The id of the wrapping key that sealed a value. */
export function sealedKeyId(sealed: Uint8Array): string {
  return Buffer.from(sealed)
    .subarray(1, 1 + layout.keyId)
    .toString("hex");
}

/** Makes a sealer that seals with a wrapping key of 32 octets, and opens what any of the others sealed as well. */
export function createSealer(wrappingKey: Buffer, alsoOpens: readonly Buffer[] = []): Sealer {
  const keys = new Map([wrappingKey, ...alsoOpens].map((key) => [wrappingKeyId(key).toString("hex"), key]));
  const keyId = wrappingKeyId(wrappingKey);
  return {
    keyId: keyId.toString("hex"),
    keyIds: [...keys.keys()],
    seal(place, secret) {
      const dataKey = randomBytes(layout.dataKey);
      const associated = associatedData(place, keyId.toString("hex"));
      return Buffer.concat([
        Buffer.of(layout.version),
        keyId,
        encrypt(wrappingKey, dataKey, associated),
        encrypt(dataKey, secret, associated),
      ]);
    },
    open(place, sealed) {
      const bytes = Buffer.from(sealed);
      const wrappedAt = 1 + layout.keyId;
      const secretAt = wrappedAt + layout.nonce + layout.dataKey + layout.tag;
      if (bytes[0] !== layout.version)
        throw new SealError(`a sealed value of the unknown version ${bytes[0]}`);
      const sealedBy = sealedKeyId(bytes);
      const key = keys.get(sealedBy);
      if (!key) throw new SealError("sealed with another CERTCTL_CONFIG_ENCRYPTION_KEY");
      const associated = associatedData(place, sealedBy);
      const dataKey = decrypt(key, bytes.subarray(wrappedAt, secretAt), associated);
      return decrypt(dataKey, bytes.subarray(secretAt), associated);
    },
  };
}

function wrappingKeyId(key: Buffer): Buffer {
  if (key.length !== 32) throw new SealError("the wrapping key must be 32 octets");
  return createHash("sha256").update("certctl wrapping key").update(key).digest().subarray(0, layout.keyId);
}

function associatedData({ table, id, field }: Place, keyId: string): Buffer {
  return Buffer.from([table, id, field, keyId].join("\0"));
}

function encrypt(key: Buffer, text: Uint8Array, associated: Buffer): Buffer {
  const nonce = randomBytes(layout.nonce);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(associated);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, bytes: Buffer, associated: Buffer): Buffer {
  const nonce = bytes.subarray(0, layout.nonce);
  const tag = bytes.subarray(-layout.tag);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(associated).setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(bytes.subarray(layout.nonce, -layout.tag)), decipher.final()]);
  } catch {
    throw new SealError("a sealed value was changed or moved");
  }
}
