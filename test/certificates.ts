import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import type { Extension } from "@peculiar/asn1-x509";
import { KeyUsageFlags } from "@peculiar/asn1-x509";
import { nameOf, newSerial, signCertificate, tbsCertificate } from "../src/x509/certificate.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extendedKeyUsages,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "../src/x509/extensions.ts";
import { spkiOf } from "../src/x509/keys.ts";
import { parseSan } from "../src/x509/names.ts";
import { pem } from "../src/x509/pem.ts";

const dayMs = 86_400_000;

/** A leaf under an intermediate under a root, ECDSA P-256, all PEM. */
export interface Chain {
  rootPem: string;
  intermediatePem: string;
  leafPem: string;
  /** The leaf's key, PKCS#8. */
  keyPem: string;
  /** Of the leaf's DER, lower-case hexadecimal. */
  fingerprintSha256: string;
  sans: string[];
}

/** Makes a chain for these names, each part of it valid for a day unless the leaf's end is given. */
export function makeChain(options: { sans: string[]; notAfter?: Date }): Chain {
  const { sans, notAfter = inDays(1) } = options;
  const root = makeKey();
  const intermediate = makeKey();
  const leaf = makeKey();
  const authority = [basicConstraints(), keyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)];
  const leafPem = sign("", leaf, "Test Intermediate", intermediate, notAfter, [
    keyUsage(KeyUsageFlags.digitalSignature),
    extendedKeyUsages([extendedKeyUsage.serverAuth]),
    subjectAltName(sans.map(parseSan), true),
  ]);
  return {
    rootPem: sign("Test Root", root, "Test Root", root, inDays(1), authority),
    intermediatePem: sign("Test Intermediate", intermediate, "Test Root", root, inDays(1), authority),
    leafPem,
    keyPem: leaf.export({ type: "pkcs8", format: "pem" }).toString(),
    fingerprintSha256: new X509Certificate(leafPem).fingerprint256.replaceAll(":", "").toLowerCase(),
    sans,
  };
}

/** A self-signed certificate, as an owner makes one so that a server can start. */
export function makePlaceholder(): { certificatePem: string; keyPem: string } {
  const key = makeKey();
  const san = subjectAltName([parseSan("placeholder.test")], false);
  return {
    certificatePem: sign("placeholder", key, "placeholder", key, inDays(1), [san]),
    keyPem: key.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function makeKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
}

function inDays(days: number): Date {
  return new Date(Math.floor((Date.now() + days * dayMs) / 1000) * 1000);
}

function sign(
  subject: string,
  key: KeyObject,
  issuer: string,
  signer: KeyObject,
  notAfter: Date,
  extensions: Extension[],
): string {
  const content = {
    serial: newSerial(),
    issuer: nameOf(issuer),
    subject: nameOf(subject),
    notBefore: inDays(-2),
    notAfter,
    spki: spkiOf(key),
    extensions: [...extensions, subjectKeyIdentifier(spkiOf(key)), authorityKeyIdentifier(spkiOf(signer))],
  };
  return pem("CERTIFICATE", signCertificate(tbsCertificate(content, signer), signer));
}
