import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { type Certificate, CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { buttonClass } from "../../ui/button.tsx";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Field, Select } from "../../ui/field.tsx";
import { Panel } from "../../ui/panel.tsx";
import { text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { ContentFacts } from "./certificate-content.tsx";
import { CompareVersions } from "./compare-versions.tsx";
import { DownloadMenu } from "./download-menu.tsx";

const parameters = { compare: text() };

/** One version: what it says, beside another where one was chosen to compare with. */
export function VersionTab({
  certificate: { id },
  versionId,
}: {
  certificate: Certificate;
  versionId: string;
}) {
  const [{ compare }, set] = useParameters(parameters);
  const read = useQuery(CertificateService.method.getCertificateVersion, { id, versionId });
  const all =
    useQuery(CertificateService.method.listCertificateVersions, { id, perPage: 100 }).data?.data ?? [];
  const version = read.data?.version;
  if (read.error)
    return <ErrorCard error={read.error} what="the version" onRetry={() => void read.refetch()} />;
  if (!version) return <Skeleton lines={8} />;
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-end gap-3">
        <Link to="/certificates/$id/$tab" params={{ id, tab: "versions" }} className={buttonClass()}>
          All versions
        </Link>
        <DownloadMenu id={id} versionId={versionId} />
        <div className="w-64">
          <Field label="Compare with">
            {(ids) => (
              <Select {...ids} value={compare} onChange={(event) => set({ compare: event.target.value })}>
                <option value="">no other</option>
                {all
                  .filter((each) => each.id !== versionId)
                  .map((each) => (
                    <option key={each.id} value={each.id}>
                      v{each.number}, {each.serialNumber.slice(0, 8)}
                      {each.current ? ", current" : ""}
                    </option>
                  ))}
              </Select>
            )}
          </Field>
        </div>
      </div>
      {compare ? (
        <CompareVersions id={id} version={version} otherId={compare} />
      ) : (
        <Panel title={`Version ${version.number}`} note={version.current ? "current" : undefined}>
          {version.content?.leaf ? (
            <ContentFacts content={version.content.leaf} />
          ) : (
            <p className="text-fg2">What it says cannot be read.</p>
          )}
        </Panel>
      )}
    </div>
  );
}
