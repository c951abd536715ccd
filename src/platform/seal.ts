import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

/**
 * Seals secrets for the database: AES-256-GCM under a data key of their own, which the wrapping key encrypts. The
 * place of a secret (table, id, field) is authenticated with it: moved elsewhere it does not open.
 */
export interface Sealer {
  seal(place: Place, secret: Uint8Array): Buffer;
  /** Throws SealError for another wrapping key, another place or changed bytes. */
  open(place: Place, sealed: Uint8Array): Buffer;
}

export interface Place {
  table: string;
  id: string;
  field: string;
}

export class SealError extends Error {}

const layout = { version: 1, keyId: 8, nonce: 12, tag: 16, dataKey: 32 };

/** Makes a sealer from a wrapping key of 32 octets. */
export function createSealer(wrappingKey: Buffer): Sealer {
  if (wrappingKey.length !== 32) throw new SealError("the wrapping key must be 32 octets");
  const keyId = createHash("sha256")
    .update("certctl wrapping key")
    .update(wrappingKey)
    .digest()
    .subarray(0, layout.keyId);
  const associated = ({ table, id, field }: Place) =>
    Buffer.from([table, id, field, keyId.toString("hex")].join("\0"));
  return {
    seal(place, secret) {
      const dataKey = randomBytes(layout.dataKey);
      const wrapped = encrypt(wrappingKey, dataKey, associated(place));
      return Buffer.concat([
        Buffer.of(layout.version),
        keyId,
        wrapped,
        encrypt(dataKey, secret, associated(place)),
      ]);
    },
    open(place, sealed) {
      const bytes = Buffer.from(sealed);
      const wrappedAt = 1 + layout.keyId;
      const secretAt = wrappedAt + layout.nonce + layout.dataKey + layout.tag;
      if (bytes[0] !== layout.version)
        throw new SealError(`a sealed value of the unknown version ${bytes[0]}`);
      if (!bytes.subarray(1, wrappedAt).equals(keyId))
        throw new SealError("sealed with another CERTCTL_CONFIG_ENCRYPTION_KEY");
      const dataKey = decrypt(wrappingKey, bytes.subarray(wrappedAt, secretAt), associated(place));
      return decrypt(dataKey, bytes.subarray(secretAt), associated(place));
    },
  };
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
