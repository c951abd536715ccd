import type { SignedCertificate } from "../issuers/issuer.ts";
import { fromPem } from "../x509/pem.ts";

/** A version's certificate with the one that signed it. */
export function signedCertificate({
  pemChain,
  rootPem,
}: {
  pemChain: string;
  rootPem: string;
}): SignedCertificate {
  const [leafDer, issuerDer = fromPem("CERTIFICATE", rootPem)[0]] = fromPem("CERTIFICATE", pemChain);
  if (!leafDer || !issuerDer) throw new Error("a version without its leaf, or without what signed it");
  return { leafDer, issuerDer };
}
