import type { Authorities, Authority } from "../authorities/authority.ts";
import { authorityPem } from "../authorities/authority.ts";
import { leafContent } from "../authorities/leaf.ts";
import type { Transaction } from "../platform/database.ts";
import { invalid } from "../platform/errors.ts";
import { serialText, signCertificate, tbsCertificate } from "../x509/certificate.ts";
import { type Csr, CsrError, readCsr } from "../x509/csr.ts";
import { extendedKeyUsage } from "../x509/extensions.ts";
import { sha256 } from "../x509/keys.ts";
import { fromPem, pem } from "../x509/pem.ts";

export interface IdentityDeps {
  authorities: Authorities;
  /** How long an agent's certificate is valid. */
  identityHours: number;
}

/** Reads an agent's own CSR. Only its key counts; nothing that it says about names is used. */
export function readIdentityCsr(csrPem: string): Csr {
  const [der] = fromPem("CERTIFICATE REQUEST", csrPem);
  try {
    if (der) return readCsr(der);
  } catch (error) {
    if (!(error instanceof CsrError)) throw error;
    throw invalid({ field: "csr_pem", description: error.message });
  }
  throw invalid({ field: "csr_pem", description: "must be one PEM block CERTIFICATE REQUEST" });
}

/** The name that an agent's certificate carries (SPIFFE ID, 2). */
export function agentUri(trustDomain: string, agentId: string): string {
  return `spiffe://${trustDomain}/agent/${agentId}`;
}

/** Signs and stores a client certificate for an agent, PEM with its intermediate. It is in force from its first use. */
export async function issueIdentity(
  tx: Transaction,
  { authorities, identityHours }: IdentityDeps,
  options: { agentId: string; csr: Csr; joinTokenId: string | null; now: Date },
): Promise<string> {
  const { agentId, csr, joinTokenId, now } = options;
  const agentCa = authorities.byRole["agent-ca"];
  const content = leafContent(agentCa, {
    commonName: agentId,
    sans: [{ type: "uri", value: agentUri(authorities.trustDomain, agentId) }],
    spki: csr.spki,
    isRsa: csr.keyAlgorithm.startsWith("RSA"),
    usages: [extendedKeyUsage.clientAuth],
    validitySeconds: identityHours * 3600,
    now,
  });
  const der = signCertificate(tbsCertificate(content, agentCa.key), agentCa.key);
  await tx.agentIdentity.create({
    data: {
      authorityId: agentCa.id,
      serial: serialText(content.serial),
      agentId,
      spkiSha256: new Uint8Array(sha256(csr.spki)),
      certificate: new Uint8Array(der),
      notAfter: content.notAfter,
      joinTokenId,
      createdAt: now,
    },
  });
  return identityPem(der, agentCa);
}

export function identityPem(der: Uint8Array, agentCa: Authority): string {
  return pem("CERTIFICATE", der) + authorityPem(agentCa);
}
