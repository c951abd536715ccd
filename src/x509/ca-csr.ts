import { AsnConvert } from "@peculiar/asn1-schema";
import type { Extension } from "@peculiar/asn1-x509";
import { nameOf } from "./certificate.ts";
import {
  bitString,
  constructed,
  element,
  integerOf,
  objectIdentifier,
  octetString,
  sequence,
  tags,
} from "./der.ts";
import { type Signer, signatureAlgorithm, signBytes, spkiOf } from "./keys.ts";

/** Makes the CSR (RFC 2986) of a CA, DER: under this common name, asking for these extensions. */
export function makeCaCsr(key: Signer, commonName: string, extensions: readonly Extension[]): Buffer {
  const requested = sequence(
    ...extensions.map(({ extnID, critical, extnValue }) =>
      sequence(
        objectIdentifier(extnID),
        ...(critical ? [element(tags.boolean, Uint8Array.of(0xff))] : []),
        octetString(new Uint8Array(extnValue.buffer)),
      ),
    ),
  );
  const attribute = sequence(objectIdentifier("1.2.840.113549.1.9.14"), element(tags.set, requested));
  const subject = Buffer.from(AsnConvert.serialize(nameOf(commonName)));
  const info = sequence(integerOf(0n), subject, spkiOf(key), element(constructed(0), attribute));
  const algorithm = Buffer.from(AsnConvert.serialize(signatureAlgorithm(key)));
  return sequence(info, algorithm, bitString(signBytes(key, info)));
}
