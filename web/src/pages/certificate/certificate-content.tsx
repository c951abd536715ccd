import type { CertificateContent } from "#gen/certctl/v1/certificates_pb.ts";
import { CodeBlock, CopyText, shortHex } from "../../ui/copy.tsx";
import { Facts } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

/** What one X.509 certificate says. */
export function ContentFacts({ content }: { content: CertificateContent }) {
  return (
    <div className="flex flex-col gap-3">
      <Facts
        facts={[
          ["Subject", content.subject || "empty"],
          content.sans.length > 0 && ["Names", content.sans.join(", ")],
          ["Issuer", content.issuer],
          ["Valid from", <Time key="from" at={content.notBefore} isExact />],
          ["Expires", <Time key="to" at={content.notAfter} isExact />],
          ["Key", content.keyAlgorithm],
          ["Signature", content.signatureAlgorithm],
          content.keyUsage.length > 0 && ["Key usage", content.keyUsage.join(", ")],
          content.extendedKeyUsage.length > 0 && ["Extended", content.extendedKeyUsage.join(", ")],
          [
            "Serial",
            <CopyText key="serial" text={content.serialNumber} shown={shortHex(content.serialNumber, 24)} />,
          ],
          [
            "SHA-256",
            <CopyText
              key="print"
              text={content.fingerprintSha256}
              shown={shortHex(content.fingerprintSha256, 24)}
            />,
          ],
        ]}
      />
      <details>
        <summary className="cursor-pointer rounded-control text-fg2">PEM</summary>
        <div className="mt-2">
          <CodeBlock text={content.pem.trim()} label="the PEM" />
        </div>
      </details>
    </div>
  );
}
