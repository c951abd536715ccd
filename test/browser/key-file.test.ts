import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect, test } from "vitest";
import { publicKeySha256 } from "../../web/src/pages/authorities/key-file.ts";

const passphrase = "sixteen characters and môre";

function exported(privateKey: KeyObject): string {
  const options = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase } as const;
  return privateKey.export(options).toString();
}

test.each([
  ["ECDSA-P256", () => generateKeyPairSync("ec", { namedCurve: "P-256" })],
  ["ECDSA-P384", () => generateKeyPairSync("ec", { namedCurve: "P-384" })],
  ["RSA-2048", () => generateKeyPairSync("rsa", { modulusLength: 2048 })],
])("names the %s key in a file that was exported", async (_kind, make) => {
  const { publicKey, privateKey } = make();
  const spki = publicKey.export({ type: "spki", format: "der" });
  const sha256 = createHash("sha256").update(spki).digest("hex");
  const pem = exported(privateKey);
  expect(await publicKeySha256(pem, passphrase)).toBe(sha256);
  expect(await publicKeySha256(`kept by someone\n${pem.replaceAll("\n", "\r\n")}`, passphrase)).toBe(sha256);
});

test("says why a file cannot be opened", async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = exported(privateKey);
  const edwards = exported(generateKeyPairSync("ed25519").privateKey);
  const plain = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const cut = pem.replace(/\n[^\n-]+\n-----END/, "\n-----END");
  await expect(publicKeySha256(pem, "another passphrase")).rejects.toThrow("does not open");
  await expect(publicKeySha256(plain, passphrase)).rejects.toThrow("is no encrypted private key");
  await expect(publicKeySha256(cut, passphrase)).rejects.toThrow("is no PKCS #8");
  await expect(publicKeySha256(edwards, passphrase)).rejects.toThrow("does not open");
});
