import { useQuery } from "@connectrpc/connect-query";
import { Link as LinkIcon } from "lucide-react";
import { type Certificate, CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { EmptyState, Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { ContentFacts } from "./certificate-content.tsx";
import { useCurrentVersion } from "./current-version.ts";

/** From the leaf to the root: who vouches for whom. */
export function ChainTab({ certificate: { id } }: { certificate: Certificate }) {
  const current = useCurrentVersion(id);
  const versionId = current?.id ?? "";
  const read = useQuery(
    CertificateService.method.getCertificateVersion,
    { id, versionId },
    { enabled: versionId !== "" },
  );
  if (current === null)
    return <EmptyState icon={LinkIcon} title="Nothing was issued yet, so there is no chain" />;
  if (read.error)
    return <ErrorCard error={read.error} what="the chain" onRetry={() => void read.refetch()} />;
  if (read.isPending) return <Skeleton lines={8} />;
  const content = read.data.version?.content;
  if (!content?.leaf) return <EmptyState icon={LinkIcon} title="The chain of this version cannot be read" />;
  const all = [content.leaf, ...content.chain];
  return (
    <ol className="flex max-w-[880px] flex-col gap-3">
      {all.map((each, index) => (
        <li key={each.fingerprintSha256}>
          <Panel
            title={each.subject.replace(/^CN=/, "") || "Leaf"}
            note={index === 0 ? "leaf" : each.subject === each.issuer ? "root" : "intermediate"}
          >
            <ContentFacts content={each} />
          </Panel>
        </li>
      ))}
    </ol>
  );
}
