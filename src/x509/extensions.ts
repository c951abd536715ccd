import { createHash } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyUsage,
  NameConstraints,
  SubjectAlternativeName,
} from "@peculiar/asn1-x509";
import {
  constructed,
  DerError,
  element,
  elements,
  integerOf,
  objectIdentifier,
  only,
  primitive,
  sequence,
  tags,
} from "./der.ts";
import { NameError, parseSan, type San } from "./names.ts";

export const extendedKeyUsage = { serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2" } as const;

function encoded(extnID: string, critical: boolean, value: Uint8Array): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(value) });
}

function remembered<Key>(known: Map<Key, Extension>, key: Key, make: () => Extension): Extension {
  const found = known.get(key);
  if (found) return found;
  const made = make();
  known.set(key, made);
  return made;
}

function extension(extnID: string, critical: boolean, value: object): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

export function basicConstraints(pathLenConstraint?: number): Extension {
  const value = new BasicConstraints({
    cA: true,
    ...(pathLenConstraint === undefined ? {} : { pathLenConstraint }),
  });
  return extension(id_ce_basicConstraints, true, value);
}

const knownKeyUsages = new Map<number, Extension>();

export function keyUsage(flags: number): Extension {
  return remembered(knownKeyUsages, flags, () => extension(id_ce_keyUsage, true, new KeyUsage(flags)));
}

const knownUsages = new Map<string, Extension>();

export function extendedKeyUsages(usages: readonly string[]): Extension {
  return remembered(knownUsages, usages.join(), () =>
    extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage([...usages])),
  );
}

/** Critical iff the subject is empty (RFC 5280, 4.2.1.6). */
export function subjectAltName(sans: readonly San[], isSubjectEmpty: boolean): Extension {
  return encoded(id_ce_subjectAltName, isSubjectEmpty, element(tags.sequence, ...sans.map(generalName)));
}

/** Restricts what a CA may sign to URIs of one host (RFC 5280, 4.2.1.10). */
export function permittedUriHost(host: string): Extension {
  const subtree = new GeneralSubtree({ base: new GeneralName({ uniformResourceIdentifier: host }) });
  return extension(
    id_ce_nameConstraints,
    true,
    new NameConstraints({ permittedSubtrees: new GeneralSubtrees([subtree]) }),
  );
}

/** Where the CRL of a certificate's CA lies. */
export function crlDistributionPoint(url: string): Extension {
  const name = element(constructed(0), element(constructed(0), element(primitive(6), Buffer.from(url))));
  return encoded("2.5.29.31", false, sequence(sequence(name)));
}

/** Where a certificate's CA answers OCSP, and where its own certificate lies. */
export function authorityInfoAccess(urls: { ocsp: string; caIssuers: string }): Extension {
  const access = (method: string, url: string) =>
    sequence(objectIdentifier(method), element(primitive(6), Buffer.from(url)));
  return encoded(
    "1.3.6.1.5.5.7.1.1",
    false,
    sequence(access("1.3.6.1.5.5.7.48.1", urls.ocsp), access("1.3.6.1.5.5.7.48.2", urls.caIssuers)),
  );
}

/** A server has to staple an OCSP answer: the TLS feature status_request (RFC 7633). */
export function mustStaple(): Extension {
  return encoded("1.3.6.1.5.5.7.1.24", false, sequence(integerOf(5n)));
}

/** Nothing will be said of its revocation: it ends before that would matter (RFC 9608). */
export function noRevocationAvailable(): Extension {
  return encoded("2.5.29.56", false, Buffer.of(tags.null, 0));
}

/** The value of an extension of a certificate or CSR, DER; null: there is none. */
export function extensionValue(extensions: Iterable<Extension>, id: string): Buffer | null {
  const found = [...extensions].find(({ extnID }) => extnID === id);
  return found ? Buffer.from(found.extnValue.buffer) : null;
}

export function subjectKeyIdentifier(spki: Uint8Array): Extension {
  return encoded(id_ce_subjectKeyIdentifier, false, element(tags.octetString, keyIdentifier(spki)));
}

export function authorityKeyIdentifier(issuerSpki: Uint8Array): Extension {
  const value = element(tags.sequence, element(primitive(0), keyIdentifier(issuerSpki)));
  return encoded(id_ce_authorityKeyIdentifier, false, value);
}

const knownIssuers = new WeakMap<Uint8Array, Extension>();

/**
 * The same for a CA by its certificate, DER: a CA that another signed may have its key identified in another way than certctl would,
 * and what it signs has to repeat that.
 */
export function authorityKeyIdentifierOf(issuerDer: Uint8Array): Extension {
  const known = knownIssuers.get(issuerDer);
  if (known) return known;
  const { extensions = [], subjectPublicKeyInfo } = AsnConvert.parse(issuerDer, Certificate).tbsCertificate;
  const found = extensionValue(extensions, id_ce_subjectKeyIdentifier);
  const id = found
    ? only(found, tags.octetString).content
    : keyIdentifier(new Uint8Array(AsnConvert.serialize(subjectPublicKeyInfo)));
  const made = encoded(id_ce_authorityKeyIdentifier, false, sequence(element(primitive(0), id)));
  knownIssuers.set(issuerDer, made);
  return made;
}

/** The left 160 bits of the key's SHA-256 (RFC 7093, method 1). */
function keyIdentifier(spki: Uint8Array): Buffer {
  const [, key] = elements(only(Buffer.from(spki), tags.sequence).content);
  if (key?.tag !== tags.bitString) throw new DerError("no SubjectPublicKeyInfo");
  return createHash("sha256").update(key.content.subarray(1)).digest().subarray(0, 20);
}

const generalNameTags = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

function generalName({ type, value }: San): Buffer {
  const octets = type === "ip" ? addressOctets(value) : Buffer.from(value, "latin1");
  return element(primitive(generalNameTags[type]), octets);
}

function addressOctets(address: string): Buffer {
  if (address.includes(".") && !address.includes(":")) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (text: string | undefined) => (text ? text.split(":") : []);
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...(tail === undefined ? [] : Array(missing).fill("0")), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** The subject alternative names among extensions. Throws NameError for a kind that certctl does not issue. */
export function sansOf(extensions: Iterable<Extension>): San[] {
  const found = [...extensions].find(({ extnID }) => extnID === id_ce_subjectAltName);
  if (!found) return [];
  return Array.from(AsnConvert.parse(found.extnValue.buffer, SubjectAlternativeName), sanOf);
}

function sanOf(name: GeneralName): San {
  const read: [San["type"], string | undefined][] = [
    ["dns", name.dNSName],
    ["ip", name.iPAddress],
    ["email", name.rfc822Name],
    ["uri", name.uniformResourceIdentifier],
  ];
  const present = read.find(([, text]) => text !== undefined);
  const text = present?.[1];
  if (!present || text === undefined)
    throw new NameError("a subject alternative name that is no DNS name, IP address, e-mail address or URI");
  const san = parseSan(text);
  if (san.type !== present[0]) throw new NameError(`"${text}" is not of its kind (${present[0]})`);
  return san;
}
