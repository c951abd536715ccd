import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import type { PKCS11 } from "pkcs11js";
import { element, integer, sequence, tags } from "../x509/der.ts";
import type { KeyHandle } from "../x509/keys.ts";
import { StartupError } from "./startup-error.ts";

/** Where a hardware token is, and what opens it. */
export interface TokenSettings {
  /** The PKCS #11 library's path. */
  module: string;
  /** The token's label. */
  token: string;
  pin: string;
}

/** A token that makes keys and signs with them. They never leave it. */
export interface HardwareToken extends Disposable {
  /** Makes an EC key under this id. */
  generate(id: string, curve: "P-256" | "P-384"): KeyHandle;
  /** A key by its id; it is looked for when it signs. */
  key(id: string, publicKey: KeyObject): KeyHandle;
}

/** Thrown when a token does not do what it was asked for. */
export class TokenError extends Error {}

const curves = {
  "P-256": { oid: "06082a8648ce3d030107", spki: "301306072a8648ce3d020106082a8648ce3d030107" },
  "P-384": { oid: "06052b81040022", spki: "301006072a8648ce3d020106052b81040022" },
} as const;

/** Opens a token. Its library is loaded here and nowhere else. Throws StartupError in words for the operator. */
export async function openToken({ module, token, pin }: TokenSettings): Promise<HardwareToken> {
  const { default: pkcs11 } = await import("pkcs11js").catch((cause: unknown) => {
    throw new StartupError(
      "CERTCTL_PKCS11_MODULE is set, but the package pkcs11js is not installed: it is built by npm ci, where there is a C++ compiler",
      {
        cause,
      },
    );
  });
  const library: PKCS11 = new pkcs11.PKCS11();
  const session = logIn();

  function logIn(): Buffer {
    try {
      library.load(module);
      library.C_Initialize();
      const slot = library
        .C_GetSlotList(true)
        .find((each) => library.C_GetTokenInfo(each).label.trim() === token);
      if (!slot) throw new StartupError(`CERTCTL_PKCS11_TOKEN: ${module} has no token "${token}"`);
      const opened = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
      library.C_Login(opened, pkcs11.CKU_USER, pin);
      return opened;
    } catch (cause) {
      if (cause instanceof StartupError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StartupError(`the hardware token "${token}" cannot be opened by ${module}: ${reason}`, {
        cause,
      });
    }
  }

  function find(id: string): Buffer {
    library.C_FindObjectsInit(session, [
      { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_PRIVATE_KEY },
      { type: pkcs11.CKA_ID, value: Buffer.from(id) },
    ]);
    try {
      const found = library.C_FindObjects(session, 1)[0];
      if (!found) throw new TokenError(`the token "${token}" has no key ${id}`);
      return found;
    } finally {
      library.C_FindObjectsFinal(session);
    }
  }

  function key(id: string, publicKey: KeyObject): KeyHandle {
    return {
      publicKey,
      sign(hash, data) {
        const digest = createHash(hash).update(data).digest();
        library.C_SignInit(session, { mechanism: pkcs11.CKM_ECDSA }, find(id));
        // Two numbers of the curve's size, as PKCS #11 has them; certificates have them as a SEQUENCE.
        const raw = library.C_Sign(session, digest, Buffer.alloc(256));
        const half = raw.length / 2;
        return sequence(integer(raw.subarray(0, half)), integer(raw.subarray(half)));
      },
    };
  }

  return {
    key,
    generate(id, curve) {
      const named = [
        { type: pkcs11.CKA_TOKEN, value: true },
        { type: pkcs11.CKA_ID, value: Buffer.from(id) },
        { type: pkcs11.CKA_LABEL, value: id },
      ];
      const { publicKey } = library.C_GenerateKeyPair(
        session,
        { mechanism: pkcs11.CKM_EC_KEY_PAIR_GEN },
        [...named, { type: pkcs11.CKA_EC_PARAMS, value: Buffer.from(curves[curve].oid, "hex") }],
        [
          ...named,
          { type: pkcs11.CKA_PRIVATE, value: true },
          { type: pkcs11.CKA_SENSITIVE, value: true },
          { type: pkcs11.CKA_EXTRACTABLE, value: false },
          { type: pkcs11.CKA_SIGN, value: true },
        ],
      );
      const [point] = library.C_GetAttributeValue(session, publicKey, [{ type: pkcs11.CKA_EC_POINT }]);
      const octets = Buffer.from(point?.value as Buffer);
      // The point lies in an OCTET STRING of at most 127 octets.
      const bits = element(tags.bitString, Buffer.of(0), octets.subarray(2));
      const spki = sequence(Buffer.from(curves[curve].spki, "hex"), bits);
      return key(id, createPublicKey({ key: spki, type: "spki", format: "der" }));
    },
    [Symbol.dispose]() {
      library.C_CloseSession(session);
      library.C_Finalize();
    },
  };
}
