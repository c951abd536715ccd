import { AsnConvert } from "@peculiar/asn1-schema";
import {
  bitString,
  constructed,
  element,
  integer,
  integerOf,
  objectIdentifier,
  octetString,
  sequence,
  tags,
  time,
} from "./der.ts";
import { partsOf } from "./der-certificate.ts";
import { authorityKeyIdentifierOf } from "./extensions.ts";
import { type Signer, signatureAlgorithm, signBytes } from "./keys.ts";
import { reasonCode } from "./revocation-reason.ts";

/** A certificate that is revoked. */
export interface CrlEntry {
  /** Upper-case hexadecimal. */
  serial: string;
  revokedAt: Date;
  /** In certctl's words. */
  reason: string;
}

/** What a complete CRL says; there are no deltas. */
export interface CrlContent {
  /** The CA's certificate, DER. */
  issuerDer: Uint8Array;
  number: bigint;
  thisUpdate: Date;
  nextUpdate: Date;
  entries: readonly CrlEntry[];
}

const version2 = integerOf(1n);
const crlNumberOid = objectIdentifier("2.5.29.20");
const reasonOid = objectIdentifier("2.5.29.21");

/** Makes a CRL (RFC 5280, 5), DER. */
export function makeCrl(content: CrlContent, signer: Signer): Buffer {
  const algorithm = Buffer.from(AsnConvert.serialize(signatureAlgorithm(signer)));
  const extensions = sequence(
    Buffer.from(AsnConvert.serialize(authorityKeyIdentifierOf(content.issuerDer))),
    sequence(crlNumberOid, octetString(integerOf(content.number))),
  );
  const entries = content.entries.map(crlEntry);
  const tbs = sequence(
    version2,
    algorithm,
    partsOf(content.issuerDer).subject,
    time(content.thisUpdate),
    time(content.nextUpdate),
    // Absent where nothing is revoked (RFC 5280, 5.1.2.6).
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    element(constructed(0), extensions),
  );
  return sequence(tbs, algorithm, bitString(signBytes(signer, tbs)));
}

function crlEntry({ serial, revokedAt, reason }: CrlEntry): Buffer {
  const code = reasonCode(reason);
  const extension = (value: number) =>
    sequence(sequence(reasonOid, octetString(element(tags.enumerated, Buffer.of(value)))));
  return sequence(
    integer(Buffer.from(serial, "hex")),
    time(revokedAt),
    ...(code === null ? [] : [extension(code)]),
  );
}
