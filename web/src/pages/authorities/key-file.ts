/** A key file that cannot be read, in words for whoever chose it. */
export class KeyFileError extends Error {}

const curves: Readonly<Record<string, string>> = {
  "2a8648ce3d030107": "P-256",
  "2b81040022": "P-384",
  "2b81040023": "P-521",
};
const rsaKey = "2a864886f70d010101";
const hashes: Readonly<Record<string, string>> = {
  "2a864886f70d0207": "SHA-1",
  "2a864886f70d0209": "SHA-256",
  "2a864886f70d020a": "SHA-384",
  "2a864886f70d020b": "SHA-512",
};
const pbes2 = "2a864886f70d01050d";
const aes256 = "60864801650304012a";

/**
 * Opens an encrypted PKCS #8 file (PBES2 with AES-256, RFC 8018) here in the browser, and returns the SHA-256 of the public key that
 * belongs to the private one in it, hexadecimal. Throws KeyFileError.
 */
export async function publicKeySha256(pem: string, passphrase: string): Promise<string> {
  const block = /-----BEGIN ENCRYPTED PRIVATE KEY-----([^-]+)-----END/.exec(pem)?.[1];
  if (!block) throw new KeyFileError("is no encrypted private key, PKCS #8 in PEM");
  const pkcs8 = await decrypt(decodeBase64(block), passphrase);
  const algorithm = algorithmOf(pkcs8);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]);
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey("jwk", key);
  const facts = kty === "RSA" ? { kty, n, e } : { kty, crv, x, y };
  const open = await crypto.subtle.importKey("jwk", facts as JsonWebKey, algorithm, true, ["verify"]);
  const spki = await crypto.subtle.exportKey("spki", open);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", spki)));
}

async function decrypt(der: Bytes, passphrase: string): Promise<Bytes> {
  const unknown = new KeyFileError("is encrypted in a way that this page cannot open");
  const [scheme, content] = elements(only(der));
  const [schemeId, parameters] = elements(scheme);
  const [derivation, cipher] = elements(parameters);
  const [salt, count, ...rest] = elements(elements(derivation)[1]);
  const [cipherId, iv] = elements(cipher);
  const hash = hashes[hex(elements(rest.at(-1) ?? new Uint8Array())[0] ?? new Uint8Array())] ?? "SHA-1";
  if (!schemeId || !content || !salt || !count || !cipherId || !iv) throw unknown;
  if (hex(schemeId) !== pbes2 || hex(cipherId) !== aes256) throw unknown;
  const iterations = Number.parseInt(hex(count), 16);
  const secret = await crypto.subtle.importKey("raw", new TextEncoder().encode(passphrase), "PBKDF2", false, [
    "deriveKey",
  ]);
  const wanted = { name: "AES-CBC", length: 256 };
  const key = await crypto.subtle.deriveKey(
    { name: "PBKDF2", salt, iterations, hash },
    secret,
    wanted,
    false,
    ["decrypt"],
  );
  try {
    const opened = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv }, key, content));
    // One wrong key of 256 leaves a padding that is right.
    algorithmOf(opened);
    return opened;
  } catch {
    throw new KeyFileError("does not open with this passphrase");
  }
}

function algorithmOf(pkcs8: Bytes): EcKeyImportParams | RsaHashedImportParams {
  const [id, curve] = elements(elements(only(pkcs8))[1]);
  if (id && hex(id) === rsaKey) return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const namedCurve = curve && curves[hex(curve)];
  if (!namedCurve) throw new KeyFileError("holds a key of a kind that no CA of certctl has");
  return { name: "ECDSA", namedCurve };
}

type Bytes = Uint8Array<ArrayBuffer>;

/** The content of the one element (X.690) that there is. */
function only(der: Bytes): Bytes {
  const [first] = elements(der);
  if (!first) throw new KeyFileError("is no PKCS #8");
  return first;
}

/** The contents of the elements (X.690) that follow each other. */
function elements(der: Bytes | undefined): Bytes[] {
  const found: Bytes[] = [];
  for (let at = 0; der && at + 1 < der.length; ) {
    let length = der[at + 1] ?? 0;
    let start = at + 2;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      length = Number.parseInt(hex(der.subarray(start, start + octets)) || "0", 16);
      start += octets;
    }
    if (start + length > der.length) throw new KeyFileError("is no PKCS #8");
    found.push(der.subarray(start, start + length));
    at = start + length;
  }
  return found;
}

function decodeBase64(text: string): Bytes {
  try {
    return Uint8Array.from(atob(text.replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
  } catch {
    throw new KeyFileError("is no PEM");
  }
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}
