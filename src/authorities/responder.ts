import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { OctetString } from "@peculiar/asn1-schema";
import { Extension, KeyUsageFlags } from "@peculiar/asn1-x509";
import { nameOf, newSerial, signCertificate, tbsCertificate } from "../x509/certificate.ts";
import {
  authorityKeyIdentifierOf,
  extendedKeyUsages,
  keyUsage,
  subjectKeyIdentifier,
} from "../x509/extensions.ts";
import { spkiOf } from "../x509/keys.ts";
import { type Authority, subjectOf } from "./authority.ts";

/** What answers OCSP for a CA: a certificate that the CA's key signed for nothing else. */
export interface Responder {
  certificate: Buffer;
  key: KeyObject;
  spki: Buffer;
  notAfter: Date;
}

const lifetimeMs = 30 * 86_400_000;
const backdateMs = 5 * 60_000;
const ocspSigning = "1.3.6.1.5.5.7.3.9";
const noCheck = "1.3.6.1.5.5.7.48.1.5";

/** A new key and its certificate (RFC 6960, 4.2.2.2): 30 days at most, and not to be looked up itself. */
export function makeResponder(authority: Authority, now: Date): Responder {
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = spkiOf(key);
  const notBefore = new Date(Math.floor((now.getTime() - backdateMs) / 1000) * 1000);
  const end = Math.min(notBefore.getTime() + lifetimeMs - 1000, Date.parse(authority.certificate.validTo));
  const content = {
    serial: newSerial(),
    issuer: subjectOf(authority.der),
    subject: nameOf(`OCSP responder of ${authority.id}`),
    notBefore,
    notAfter: new Date(end),
    spki,
    extensions: [
      keyUsage(KeyUsageFlags.digitalSignature),
      extendedKeyUsages([ocspSigning]),
      new Extension({ extnID: noCheck, critical: false, extnValue: new OctetString(Uint8Array.of(5, 0)) }),
      subjectKeyIdentifier(spki),
      authorityKeyIdentifierOf(authority.der),
    ],
  };
  const certificate = signCertificate(tbsCertificate(content, authority.key), authority.key);
  return { certificate, key, spki, notAfter: content.notAfter };
}
