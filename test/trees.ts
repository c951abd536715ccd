import { generateKeyPairSync } from "node:crypto";
import { type Authority, makeAuthority, parents, type Role, roles } from "../src/authorities/authority.ts";
import type { IssuingAuthorities } from "../src/authorities/issuing.ts";
import { leafContent } from "../src/authorities/leaf.ts";
import { signCertificate, tbsCertificate } from "../src/x509/certificate.ts";
import { extendedKeyUsage } from "../src/x509/extensions.ts";
import { type Signer, signatureAlgorithm, spkiOf } from "../src/x509/keys.ts";
import { parseSan } from "../src/x509/names.ts";
import { pem } from "../src/x509/pem.ts";

export const trustDomain = "certctl-test.internal";

/** Both trust trees, not stored anywhere. */
export function makeTrees(now = new Date()): Record<Role, Authority> {
  const made: Partial<Record<Role, Authority>> = {};
  for (const role of roles) {
    const parent = parents[role];
    const options = { id: `ca-${role}`, role, trustDomain, now };
    made[role] = makeAuthority({ ...options, parent: parent ? (made[parent] ?? null) : null });
  }
  return made as Record<Role, Authority>;
}

/** A control plane without a CA that signs. */
export const noIssuing: IssuingAuthorities = {
  pkiUrl: null,
  token: null,
  signingFor: async () => null,
  find: async () => null,
  list: async () => [],
  refresh() {},
};

/** A leaf of the profile, DER; what is left out is a server's of one name. */
export function makeLeaf(
  ca: Authority,
  {
    commonName = "www.example",
    sans = ["www.example"],
    usages = [extendedKeyUsage.serverAuth],
    days = 46,
    now = new Date(),
    key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  }: {
    commonName?: string;
    sans?: string[];
    usages?: string[];
    days?: number;
    now?: Date;
    key?: Signer;
  } = {},
): Buffer {
  const content = leafContent(ca, {
    commonName,
    sans: sans.map(parseSan),
    spki: spkiOf(key),
    isRsa: signatureAlgorithm(key).algorithm === "1.2.840.113549.1.1.11",
    usages,
    validitySeconds: days * 86_400,
    now,
  });
  return signCertificate(tbsCertificate(content, ca.key), ca.key);
}

export const certificatePem = (der: Uint8Array) => pem("CERTIFICATE", der);
