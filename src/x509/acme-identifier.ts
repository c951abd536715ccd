import type { KeyObject } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { Extension } from "@peculiar/asn1-x509";
import { nameOf, newSerial, signCertificate, tbsCertificate } from "./certificate.ts";
import { subjectAltName } from "./extensions.ts";
import { sha256, spkiOf } from "./keys.ts";
import { parseSan } from "./names.ts";
import { pem } from "./pem.ts";

/** id-pe-acmeIdentifier. */
const acmeIdentifier = "1.3.6.1.5.5.7.1.31";
const dayMs = 86_400_000;

/** The self-signed certificate by which a server answers tls-alpn-01 (RFC 8737, 3), PEM. */
export function acmeIdentifierCertificate(
  key: KeyObject,
  { identifier, keyAuthorization, now }: { identifier: string; keyAuthorization: string; now: Date },
): string {
  const digest = sha256(Buffer.from(keyAuthorization));
  const value = AsnConvert.serialize(new OctetString(Uint8Array.from(digest)));
  const proof = new Extension({ extnID: acmeIdentifier, critical: true, extnValue: new OctetString(value) });
  const name = nameOf("ACME challenge");
  const content = {
    serial: newSerial(),
    issuer: name,
    subject: name,
    notBefore: new Date(now.getTime() - dayMs),
    notAfter: new Date(now.getTime() + dayMs),
    spki: spkiOf(key),
    extensions: [subjectAltName([parseSan(identifier)], false), proof],
  };
  return pem("CERTIFICATE", signCertificate(tbsCertificate(content, key), key));
}

/** The name by which a CA asks for an address in a handshake (RFC 8738, 6). */
export function reverseName(address: string): string {
  if (!address.includes(":")) return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [
    ...groups(head),
    ...Array<string>(address.includes("::") ? missing : 0).fill("0"),
    ...groups(tail),
  ];
  const digits = all.map((group) => group.padStart(4, "0")).join("");
  return `${[...digits].reverse().join(".")}.ip6.arpa`;
}
