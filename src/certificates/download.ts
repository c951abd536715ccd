import { fromPem, pem } from "../x509/pem.ts";
import { pkcs7 } from "../x509/pkcs7.ts";

/** The certificates of a version, each DER. */
interface VersionCertificates {
  leaf: Buffer;
  intermediates: Buffer[];
  root: Buffer | undefined;
}

export interface DownloadedFile {
  filename: string;
  mediaType: string;
  content: Buffer;
}

interface Format {
  extension: string;
  mediaType: string;
  write(certificates: VersionCertificates): Buffer;
}

const pemFile = (name: string, choose: (certificates: VersionCertificates) => Buffer[]): Format => ({
  extension: `${name}.pem`,
  mediaType: "application/x-pem-file",
  write: (certificates) =>
    Buffer.from(
      choose(certificates)
        .map((der) => pem("CERTIFICATE", der))
        .join(""),
    ),
});

const whole = ({ leaf, intermediates }: VersionCertificates) => [leaf, ...intermediates];

const formats: Readonly<Record<string, Format>> = {
  "leaf-pem": pemFile("leaf", ({ leaf }) => [leaf]),
  "chain-pem": pemFile("chain", ({ intermediates }) => intermediates),
  "fullchain-pem": pemFile("fullchain", whole),
  "fullchain-reversed-pem": pemFile("fullchain-reversed", (certificates) => whole(certificates).toReversed()),
  "root-pem": pemFile("root", ({ root }) => (root ? [root] : [])),
  "leaf-der": { extension: "leaf.cer", mediaType: "application/pkix-cert", write: ({ leaf }) => leaf },
  pkcs7: {
    extension: "p7b",
    mediaType: "application/x-pkcs7-certificates",
    write: (certificates) => pkcs7(whole(certificates)),
  },
};

/** A version's certificates as a file, named for the certificate and the version's number. */
export function fileOf(
  version: { pemChain: string; rootPem: string; number: number },
  certificateName: string,
  format: string,
): DownloadedFile {
  const { extension, mediaType, write } = formats[format] ?? formatMissing(format);
  const name = certificateName.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "");
  return {
    filename: `${name || "certificate"}-v${version.number}-${extension}`.replace(/-p7b$/, ".p7b"),
    mediaType,
    content: write(certificatesOf(version)),
  };
}

/** The certificates of a version: its chain with the leaf first, and the root. */
export function certificatesOf({
  pemChain,
  rootPem,
}: {
  pemChain: string;
  rootPem: string;
}): VersionCertificates {
  const [leaf, ...intermediates] = fromPem("CERTIFICATE", pemChain);
  if (!leaf) throw new Error("a version without a certificate");
  return { leaf, intermediates, root: fromPem("CERTIFICATE", rootPem)[0] };
}

function formatMissing(format: string): never {
  throw new Error(`no file of the format ${format} can be written`);
}
