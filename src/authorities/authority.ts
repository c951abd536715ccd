import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate, type Extension, KeyUsageFlags, type Name } from "@peculiar/asn1-x509";
import { nameOf, newSerial, signCertificate, tbsCertificate } from "../x509/certificate.ts";
import {
  authorityKeyIdentifierOf,
  basicConstraints,
  extendedKeyUsage,
  extendedKeyUsages,
  keyUsage,
  permittedUriHost,
  subjectKeyIdentifier,
} from "../x509/extensions.ts";
import { type Signer, spkiOf } from "../x509/keys.ts";
import { pem } from "../x509/pem.ts";

/**
 * The two trust trees. The system root vouches for agents and for the control plane itself; the issuing root for
 * customers' certificates. They share nothing, so a customer's leaf can be neither an agent nor the server.
 */
export const roles = ["system-root", "agent-ca", "server-ca", "issuing-root", "issuing-ca"] as const;
export type Role = (typeof roles)[number];

export const parents: Record<Role, Role | null> = {
  "system-root": null,
  "agent-ca": "system-root",
  "server-ca": "system-root",
  "issuing-root": null,
  "issuing-ca": "issuing-root",
};

/** A CA that can sign. */
export interface Authority {
  id: string;
  role: Role;
  der: Buffer;
  certificate: X509Certificate;
  /** One that is not at hand throws when it is to sign. */
  key: Signer;
  spki: Buffer;
  parent: Authority | null;
}

/** Every CA of the installation, by role, and the name that its agents' identities live under. */
export interface Authorities {
  trustDomain: string;
  byRole: Record<Role, Authority>;
}

const dayMs = 86_400_000;
const lifetimeDays = { root: 3_652, intermediate: 1_826 };
const backdateMs = 5 * 60_000;

/** Makes a CA certificate and its key; the parent signs, or it signs itself. */
export function makeAuthority(options: {
  id: string;
  role: Role;
  parent: Authority | null;
  trustDomain: string;
  now: Date;
}): Authority & { key: KeyObject } {
  const { id, role, parent, trustDomain, now } = options;
  const namedCurve = parent ? "P-256" : "P-384";
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve });
  const spki = spkiOf(key);
  const subject = nameOf(`certctl ${role.replace("-", " ")} ${trustDomain.split(".")[0]}`);
  const notBefore = new Date(Math.floor((now.getTime() - backdateMs) / 1000) * 1000);
  const days = parent ? lifetimeDays.intermediate : lifetimeDays.root;
  const end = notBefore.getTime() + days * dayMs - 1000;
  const signer = parent?.key ?? key;
  const tbs = tbsCertificate(
    {
      serial: newSerial(),
      issuer: parent ? subjectOf(parent.der) : subject,
      subject,
      notBefore,
      notAfter: new Date(parent ? Math.min(end, Date.parse(parent.certificate.validTo)) : end),
      spki,
      extensions: [
        basicConstraints(parent ? 0 : 1),
        keyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign),
        ...purpose(role, trustDomain),
        subjectKeyIdentifier(spki),
        ...(parent ? [authorityKeyIdentifierOf(parent.der)] : []),
      ],
    },
    signer,
  );
  const der = signCertificate(tbs, signer);
  return { id, role, der, certificate: new X509Certificate(der), key, spki, parent };
}

function purpose(role: Role, trustDomain: string): Extension[] {
  switch (role) {
    case "agent-ca":
      return [extendedKeyUsages([extendedKeyUsage.clientAuth]), permittedUriHost(trustDomain)];
    case "server-ca":
      return [extendedKeyUsages([extendedKeyUsage.serverAuth])];
    case "issuing-ca":
      return [extendedKeyUsages([extendedKeyUsage.serverAuth, extendedKeyUsage.clientAuth])];
    default:
      return [];
  }
}

/** The subject of a certificate, as the issuer field of what it signs must repeat it. */
export function subjectOf(der: Buffer): Name {
  const known = knownSubjects.get(der);
  if (known) return known;
  const { subject } = AsnConvert.parse(der, Certificate).tbsCertificate;
  knownSubjects.set(der, subject);
  return subject;
}

const knownSubjects = new WeakMap<Buffer, Name>();

/** The certificates from this authority up to, and without, its root. */
export function intermediates(authority: Authority): Authority[] {
  return authority.parent ? [authority, ...intermediates(authority.parent)] : [];
}

export function rootOf(authority: Authority): Authority {
  return authority.parent ? rootOf(authority.parent) : authority;
}

export function authorityPem(authority: Authority): string {
  return pem("CERTIFICATE", authority.der);
}
