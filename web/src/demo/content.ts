import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type Certificate,
  type CertificateContent,
  CertificateContentSchema,
  type CertificateVersion,
  KeyAlgorithmSchema,
  type VersionContent,
  VersionContentSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { wordOfValue } from "../status/words.ts";
import { createRandom } from "./random.ts";

const yearSeconds = 31_536_000n;

/** What the certificates of a version would say, from the leaf to the root. */
export function contentOf(certificate: Certificate, version: CertificateVersion): VersionContent {
  const issuing = `CN=${certificate.issuerName} Issuing CA, O=Demo`;
  const root = "CN=Demo Root, O=Demo";
  const leaf = create(CertificateContentSchema, {
    subject: `CN=${certificate.commonName}`,
    issuer: issuing,
    serialNumber: version.serialNumber,
    fingerprintSha256: version.fingerprintSha256,
    ...(version.notBefore && { notBefore: version.notBefore }),
    ...(version.notAfter && { notAfter: version.notAfter }),
    keyAlgorithm: wordOfValue(KeyAlgorithmSchema, certificate.keyAlgorithm),
    signatureAlgorithm: "ECDSA with SHA-256",
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["serverAuth"],
    sans: certificate.sans,
    pem: "There is no certificate behind this demo.",
  });
  return create(VersionContentSchema, {
    leaf,
    chain: [authority(issuing, root, 7, version.notBefore), authority(root, root, 8, version.notBefore)],
  });
}

function authority(
  subject: string,
  issuer: string,
  seed: number,
  from: Timestamp | undefined,
): CertificateContent {
  const random = createRandom(seed);
  return create(CertificateContentSchema, {
    subject,
    issuer,
    serialNumber: random.hex(32).toUpperCase(),
    fingerprintSha256: random.hex(64),
    ...(from && {
      notBefore: { ...from, seconds: from.seconds - yearSeconds },
      notAfter: { ...from, seconds: from.seconds + 9n * yearSeconds },
    }),
    keyAlgorithm: "ECDSA-P384",
    signatureAlgorithm: "ECDSA with SHA-384",
    keyUsage: ["keyCertSign", "cRLSign"],
    isCa: true,
    pem: "There is no certificate behind this demo.",
  });
}
