import { X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate } from "@peculiar/asn1-x509";
import { type Issued, IssuerError } from "../issuers/issuer.ts";
import { sansOf } from "../x509/extensions.ts";
import { spkiOf } from "../x509/keys.ts";
import { canonicalSet, NameError, parseSan } from "../x509/names.ts";

/** A CA's clock may be ahead of this one by so much. */
const skewMs = 5 * 60_000;

/**
 * Checks what an issuer signed before it is published: the key of the CSR, exactly the names, no CA, valid now, and every
 * certificate signed by the next. Throws IssuerError.
 */
export function checkAnswer(
  { leafDer, chainPem, rootPem }: Issued,
  { spki, sans, now }: { spki: Buffer; sans: readonly string[]; now: Date },
): void {
  const leaf = read(leafDer);
  if (!spkiOf(leaf.publicKey).equals(spki)) throw wrong("another public key than the CSR's");
  const asked = canonicalSet(sans.map(parseSan));
  const signed = namesOf(leafDer);
  if (signed.join() !== asked.join())
    throw wrong(`other names than ${asked.join(", ")}: ${signed.join(", ")}`);
  if (leaf.ca) throw wrong("the right to sign others");
  if (Date.parse(leaf.validFrom) > now.getTime() + skewMs)
    throw wrong(`a beginning in the future: ${leaf.validFrom}`);
  if (Date.parse(leaf.validTo) <= now.getTime()) throw wrong(`an end in the past: ${leaf.validTo}`);
  const signers = [...chainPem, ...(rootPem === "" ? [] : [rootPem])].map(read);
  if (signers.length === 0)
    throw new IssuerError("check", "the CA sent no certificate that signed it", "Refused");
  [leaf, ...signers].forEach((certificate, index, all) => {
    const signer = all[index + 1];
    if (signer && !(certificate.checkIssued(signer) && certificate.verify(signer.publicKey)))
      throw wrong(
        `no signature by the certificate that follows it in the chain (${certificate.subject} by ${signer.subject})`,
      );
  });
}

function read(certificate: Buffer | string): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch {
    throw new IssuerError("check", "the CA sent something that is no certificate", "Refused");
  }
}

function namesOf(der: Buffer): string[] {
  try {
    return canonicalSet(sansOf(AsnConvert.parse(der, Certificate).tbsCertificate.extensions ?? []));
  } catch (error) {
    throw wrong(error instanceof NameError ? error.message : "names that cannot be read");
  }
}

function wrong(what: string): IssuerError {
  return new IssuerError("check", `the certificate that the CA signed has ${what}`, "Refused");
}
