import { createHash } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  bitString,
  constructed,
  element,
  generalizedTime,
  objectIdentifier,
  octetString,
  sequence,
  tags,
} from "./der.ts";
import { keyBitsOf } from "./der-certificate.ts";
import { type Signer, signatureAlgorithm, signBytes } from "./keys.ts";
import type { CertId } from "./ocsp-request.ts";
import { reasonCode } from "./revocation-reason.ts";

/** What the CA says of a certificate. */
export type CertStatus =
  | { status: "good" }
  | { status: "unknown" }
  | { status: "revoked"; revokedAt: Date /** In certctl's words. */; reason: string };

/** An answer that says why there is none (RFC 6960, 4.2.1); it needs no signature. */
export const ocspErrors = {
  malformedRequest: errorAnswer(1),
  internalError: errorAnswer(2),
  tryLater: errorAnswer(3),
  unauthorized: errorAnswer(6),
} as const;

function errorAnswer(code: number): Buffer {
  return sequence(element(tags.enumerated, Buffer.of(code)));
}

/** The certificate and key that answer for a CA. */
export interface OcspSigner {
  key: Signer;
  /** Of the responder, DER. */
  certificate: Uint8Array;
  /** Of the responder, DER. */
  spki: Uint8Array;
}

export interface OcspContent {
  answers: readonly { certId: Pick<CertId, "raw">; status: CertStatus }[];
  /** As the request had it. */
  nonce: Uint8Array | null;
  now: Date;
  nextUpdate: Date;
}

const basicOid = objectIdentifier("1.3.6.1.5.5.7.48.1.1");
const nonceOid = objectIdentifier("1.3.6.1.5.5.7.48.1.2");

/** Makes an OCSPResponse (RFC 6960, 4.2), DER. */
export function makeOcspResponse(
  { answers, nonce, now, nextUpdate }: OcspContent,
  signer: OcspSigner,
): Buffer {
  const singles = answers.map(({ certId, status }) =>
    sequence(
      certId.raw,
      statusOf(status),
      generalizedTime(now),
      element(constructed(0), generalizedTime(nextUpdate)),
    ),
  );
  const data = sequence(
    // The responder by its key: RFC 6960 has SHA-1 for that, whatever the certificate's own identifier is.
    element(constructed(2), octetString(createHash("sha1").update(keyBitsOf(signer.spki)).digest())),
    generalizedTime(now),
    sequence(...singles),
    ...(nonce ? [element(constructed(1), sequence(sequence(nonceOid, octetString(nonce))))] : []),
  );
  const algorithm = Buffer.from(AsnConvert.serialize(signatureAlgorithm(signer.key)));
  const basic = sequence(
    data,
    algorithm,
    bitString(signBytes(signer.key, data)),
    element(constructed(0), sequence(signer.certificate)),
  );
  return sequence(
    element(tags.enumerated, Buffer.of(0)),
    element(constructed(0), sequence(basicOid, octetString(basic))),
  );
}

function statusOf(status: CertStatus): Buffer {
  if (status.status === "good") return element(0x80);
  if (status.status === "unknown") return element(0x82);
  const code = reasonCode(status.reason);
  return element(
    constructed(1),
    generalizedTime(status.revokedAt),
    ...(code === null ? [] : [element(constructed(0), element(tags.enumerated, Buffer.of(code)))]),
  );
}
