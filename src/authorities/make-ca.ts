import { X509Certificate } from "node:crypto";
import { type Extension, KeyUsageFlags } from "@peculiar/asn1-x509";
import { nameOf, newSerial, signCertificate, tbsCertificate } from "../x509/certificate.ts";
import {
  authorityKeyIdentifierOf,
  basicConstraints,
  extendedKeyUsage,
  extendedKeyUsages,
  keyUsage,
  subjectKeyIdentifier,
} from "../x509/extensions.ts";
import { type Signer, spkiOf } from "../x509/keys.ts";
import { type NameConstraints, nameConstraints } from "../x509/name-constraints.ts";
import { type Authority, type Role, subjectOf } from "./authority.ts";

/** What a CA of the customers' tree is to be. */
export interface CaContent {
  id: string;
  /** The common name of its subject. */
  name: string;
  /** Null: a root, which signs itself. */
  parent: Authority | null;
  key: Signer;
  validityDays: number;
  pathLength: number;
  /** Null: every name. */
  names: NameConstraints | null;
  now: Date;
}

const backdateMs = 5 * 60_000;
const dayMs = 86_400_000;

/** Has the parent sign a CA, or has it sign itself. It ends no later than its parent. */
export function makeCa({
  id,
  name,
  parent,
  key,
  validityDays,
  pathLength,
  names,
  now,
}: CaContent): Authority {
  const spki = spkiOf(key);
  const subject = nameOf(name);
  const notBefore = new Date(Math.floor((now.getTime() - backdateMs) / 1000) * 1000);
  const end = notBefore.getTime() + validityDays * dayMs - 1000;
  const signer = parent?.key ?? key;
  const content = {
    serial: newSerial(),
    issuer: parent ? subjectOf(parent.der) : subject,
    subject,
    notBefore,
    notAfter: new Date(parent ? Math.min(end, Date.parse(parent.certificate.validTo)) : end),
    spki,
    extensions: [
      ...caExtensions({ pathLength, names, isRoot: parent === null }),
      subjectKeyIdentifier(spki),
      ...(parent ? [authorityKeyIdentifierOf(parent.der)] : []),
    ],
  };
  const der = signCertificate(tbsCertificate(content, signer), signer);
  const role: Role = parent ? "issuing-ca" : "issuing-root";
  return { id, role, der, certificate: new X509Certificate(der), key, spki, parent };
}

/** What a CA's certificate says, and its CSR asks for. */
export function caExtensions({
  pathLength,
  names,
  isRoot,
}: Pick<CaContent, "pathLength" | "names"> & { isRoot: boolean }): Extension[] {
  const limits = names && nameConstraints(names);
  const { serverAuth, clientAuth } = extendedKeyUsage;
  return [
    basicConstraints(pathLength),
    keyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign),
    ...(isRoot ? [] : [extendedKeyUsages([serverAuth, clientAuth])]),
    ...(limits ? [limits] : []),
  ];
}
