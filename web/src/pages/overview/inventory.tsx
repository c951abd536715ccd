import type { ListCertificateFacetsResponse } from "#gen/certctl/v1/certificates_pb.ts";
import { CertificateStatus, CertificateStatusSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { type Segment, SegmentedBar } from "../../charts/segmented-bar.tsx";
import { certificateLooks } from "../../status/certificate-status.tsx";
import { readable, wordOfValue } from "../../status/words.ts";
import { countText } from "../../ui/time-text.ts";

const statuses = [
  CertificateStatus.FAILED,
  CertificateStatus.EXPIRED,
  CertificateStatus.EXPIRING,
  CertificateStatus.RENEWAL_IN_PROGRESS,
  CertificateStatus.ACTIVE,
  CertificateStatus.PENDING,
] as const;

/** Certificates by how they stand, each a link to those. */
export function Inventory({
  facets,
  search = {},
}: {
  facets: ListCertificateFacetsResponse;
  /** What the numbers are filtered by already. */
  search?: Readonly<Record<string, string>>;
}) {
  const segments = statuses.map((status): Segment => {
    const word = wordOfValue(CertificateStatusSchema, status);
    const look = certificateLooks[status];
    return {
      key: word,
      label: (look.word ?? readable(CertificateStatusSchema, status)).toLowerCase(),
      value: facets.status.find(({ value }) => value === word)?.count ?? 0,
      tone: look.tone,
      icon: look.icon,
      to: "/certificates",
      search: { ...search, status: word },
    };
  });
  return <SegmentedBar segments={segments} label={`${countText(facets.total, "certificate")} by status`} />;
}
