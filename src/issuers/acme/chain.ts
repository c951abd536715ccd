import { X509Certificate } from "node:crypto";
import { fromPem, pem } from "../../x509/pem.ts";
import type { Issued } from "../issuer.ts";
import { IssuerError } from "../issuer.ts";

/**
 * What a CA sent, leaf first, as what was issued. A root in it is left out of the chain; what the chain builds to is the
 * configured root that signed its end, or that end itself.
 */
export function readChain(chain: string, rootsPem: string): Issued {
  const [leafDer, ...signers] = fromPem("CERTIFICATE", chain);
  if (!leafDer) throw new IssuerError("download", "the CA sent no certificate", "Refused");
  const certificates = signers.map(read);
  const intermediates = certificates.filter((certificate) => !isSelfSigned(certificate));
  const top = intermediates.at(-1) ?? read(leafDer);
  const given = fromPem("CERTIFICATE", rootsPem).map(read);
  const root =
    given.find((candidate) => signed(top, candidate)) ??
    given.find((candidate) => candidate.raw.equals(top.raw)) ??
    (given.length === 0 ? certificates.find(isSelfSigned) : undefined);
  if (given.length > 0 && !root)
    throw new IssuerError(
      "download",
      `the CA's chain ends with ${top.issuer.replaceAll("\n", ", ")}, which is none of the roots that the issuer names`,
      "Configuration",
    );
  return {
    authorityId: null,
    leafDer,
    chainPem: intermediates.map(({ raw }) => pem("CERTIFICATE", raw)),
    rootPem: root ? pem("CERTIFICATE", root.raw) : "",
  };
}

function read(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new IssuerError("download", "the CA sent something that is no certificate", "Refused");
  }
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return signed(certificate, certificate);
}

function signed(certificate: X509Certificate, by: X509Certificate): boolean {
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
}
