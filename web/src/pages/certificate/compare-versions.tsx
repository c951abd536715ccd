import { timestampDate } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@connectrpc/connect-query";
import {
  type CertificateContent,
  CertificateService,
  type CertificateVersion,
} from "#gen/certctl/v1/certificates_pb.ts";
import { usePreferences } from "../../preferences/preferences.ts";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { durationText, exactText } from "../../ui/time-text.ts";

interface Row {
  name: string;
  left: string;
  right: string;
}

/** Two versions side by side; what differs is marked. */
export function CompareVersions({
  id,
  version,
  otherId,
}: {
  id: string;
  version: CertificateVersion;
  otherId: string;
}) {
  const { zone } = usePreferences();
  const read = useQuery(CertificateService.method.getCertificateVersion, { id, versionId: otherId });
  const other = read.data?.version;
  if (read.error)
    return <ErrorCard error={read.error} what="the other version" onRetry={() => void read.refetch()} />;
  if (!other) return <Skeleton lines={8} />;
  const [left, right] = [version.content?.leaf, other.content?.leaf];
  if (!left || !right) return <p className="text-fg2">One of the two cannot be read.</p>;
  const rows = rowsOf(left, right, zone);
  const different = rows.filter((row) => row.left !== row.right).length;
  return (
    <Panel
      title={`v${version.number} against v${other.number}`}
      note={`${different} of ${rows.length} differ`}
      isFlush
    >
      <div className="overflow-x-auto px-4 pb-3">
        <table className="w-full text-left">
          <thead>
            <tr className="border-line1 border-b text-fg2 text-sm">
              <th scope="col" className="py-1.5 pr-4 font-medium">
                What
              </th>
              <th scope="col" className="pr-4 font-medium">
                v{version.number}
              </th>
              <th scope="col" className="font-medium">
                v{other.number}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name} className={row.left === row.right ? "text-fg2" : "tone-due tone-tint"}>
                <th scope="row" className="whitespace-nowrap py-1 pr-4 align-top font-normal">
                  {row.name}
                  {row.left !== row.right && <span className="sr-only"> differs</span>}
                </th>
                <td className="break-all py-1 pr-4 align-top">{row.left}</td>
                <td className="break-all py-1 align-top">{row.right}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function rowsOf(left: CertificateContent, right: CertificateContent, zone: "local" | "utc"): Row[] {
  const row = (name: string, read: (content: CertificateContent) => string): Row => ({
    name,
    left: read(left) || "–",
    right: read(right) || "–",
  });
  const at = (time: CertificateContent["notBefore"]) => (time ? exactText(timestampDate(time), zone) : "");
  return [
    row("Subject", ({ subject }) => subject),
    row("Names", ({ sans }) => sans.join(", ")),
    row("Issuer", ({ issuer }) => issuer),
    row("Valid from", ({ notBefore }) => at(notBefore)),
    row("Expires", ({ notAfter }) => at(notAfter)),
    row("Lifetime", lifetimeOf),
    row("Key", ({ keyAlgorithm }) => keyAlgorithm),
    row("Signature", ({ signatureAlgorithm }) => signatureAlgorithm),
    row("Key usage", ({ keyUsage }) => keyUsage.join(", ")),
    row("Extended key usage", ({ extendedKeyUsage }) => extendedKeyUsage.join(", ")),
    row("Serial", ({ serialNumber }) => serialNumber),
    row("SHA-256", ({ fingerprintSha256 }) => fingerprintSha256),
  ];
}

function lifetimeOf({ notBefore, notAfter }: CertificateContent): string {
  if (!notBefore || !notAfter) return "";
  return durationText(timestampDate(notAfter).getTime() - timestampDate(notBefore).getTime());
}
