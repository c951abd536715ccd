import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { type Extension, KeyUsageFlags } from "@peculiar/asn1-x509";
import {
  nameOf,
  newSerial,
  serialText,
  signCertificate,
  tbsCertificate,
} from "../../src/x509/certificate.ts";
import { readCsr } from "../../src/x509/csr.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extendedKeyUsages,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "../../src/x509/extensions.ts";
import { spkiOf } from "../../src/x509/keys.ts";
import { parseSan } from "../../src/x509/names.ts";
import { pem } from "../../src/x509/pem.ts";

const yearMs = 365 * 86_400_000;

/** What a fake CA has signed. */
export interface Signed {
  leafPem: string;
  /** Upper-case hexadecimal. */
  serial: string;
}

/** An issuing CA under a root: what the fakes of CAs' APIs sign with. */
export interface SigningCa {
  issuerPem: string;
  rootPem: string;
  notAfter: Date;
  sign(request: {
    /** DER. */
    csr: Uint8Array;
    /** Left out: those of the CSR. */
    sans?: string[];
    usages?: string[];
    notAfter: Date;
  }): Signed;
}

export function makeSigningCa(now: Date): SigningCa {
  const root = newKey();
  const issuer = newKey();
  const notAfter = new Date(Math.floor((now.getTime() + 5 * yearMs) / 1000) * 1000);
  const authority = [basicConstraints(), keyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)];
  const certify = (
    names: { subject: string; issuer: string },
    keys: { spki: Buffer; signer: KeyObject },
    ends: Date,
    extensions: Extension[],
  ) => {
    const serial = newSerial();
    const content = {
      serial,
      subject: nameOf(names.subject),
      issuer: nameOf(names.issuer),
      notBefore: new Date(now.getTime() - 60_000),
      notAfter: ends,
      spki: keys.spki,
      extensions: [
        ...extensions,
        subjectKeyIdentifier(keys.spki),
        authorityKeyIdentifier(spkiOf(keys.signer)),
      ],
    };
    const der = signCertificate(tbsCertificate(content, keys.signer), keys.signer);
    return { text: pem("CERTIFICATE", der), serial: serialText(serial) };
  };
  const rootNames = { subject: "Fake Root", issuer: "Fake Root" };
  const issuerNames = { subject: "Fake Issuing CA", issuer: "Fake Root" };
  return {
    rootPem: certify(rootNames, { spki: spkiOf(root), signer: root }, notAfter, authority).text,
    issuerPem: certify(issuerNames, { spki: spkiOf(issuer), signer: root }, notAfter, authority).text,
    notAfter,
    sign({ csr, sans, usages = [extendedKeyUsage.serverAuth], notAfter: ends }) {
      const read = readCsr(csr);
      const names = sans ? sans.map(parseSan) : read.sans;
      const { text, serial } = certify(
        { subject: read.commonName ?? "", issuer: "Fake Issuing CA" },
        { spki: read.spki, signer: issuer },
        new Date(Math.floor(ends.getTime() / 1000) * 1000),
        [
          keyUsage(KeyUsageFlags.digitalSignature),
          extendedKeyUsages(usages),
          subjectAltName(names, (read.commonName ?? "") === ""),
        ],
      );
      return { leafPem: text, serial };
    },
  };
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}
