import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed, Target as TargetIcon, TriangleAlert } from "lucide-react";
import { type Certificate, CertificateService, type Deployment } from "#gen/certctl/v1/certificates_pb.ts";
import { Badge } from "../../ui/badge.tsx";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

/** What each target serves, against what it is to serve. */
export function TargetsPanel({ certificate: { id } }: { certificate: Certificate }) {
  const deployments = useQuery(CertificateService.method.listCertificateDeployments, { id });
  const versions =
    useQuery(CertificateService.method.listCertificateVersions, { id, perPage: 100 }).data?.data ?? [];
  const numbers = new Map(versions.map(({ fingerprintSha256, number }) => [fingerprintSha256, number]));
  if (deployments.error)
    return (
      <ErrorCard error={deployments.error} what="the targets" onRetry={() => void deployments.refetch()} />
    );
  return (
    <Panel title="Served against expected" isFlush>
      <div className="px-2 pb-2">
        <DataTable
          label="Targets"
          rows={deployments.data?.data ?? []}
          keyOf={({ targetId }) => targetId}
          isLoading={deployments.isPending}
          summary={(deployment) => <ServedBadge deployment={deployment} />}
          empty={
            <EmptyState icon={TargetIcon} title="No targets">
              It is issued and renewed, but deployed nowhere. Add a target to it by Edit.
            </EmptyState>
          }
          columns={[
            {
              key: "target",
              header: "Target",
              cell: ({ targetId, targetName }) => (
                <Link to="/targets/$id" params={{ id: targetId }} className="hover:text-accent">
                  {targetName || targetId}
                </Link>
              ),
            },
            { key: "state", header: "State", cell: (deployment) => <ServedBadge deployment={deployment} /> },
            {
              key: "served",
              header: "Serves",
              from: "md",
              cell: ({ servedFingerprintSha256: print }) => (
                <Print text={print} number={numbers.get(print)} />
              ),
            },
            {
              key: "expected",
              header: "Expected",
              from: "lg",
              cell: ({ expectedFingerprintSha256: print, expectedVersionNumber }) => (
                <Print text={print} number={expectedVersionNumber} />
              ),
            },
            { key: "seen", header: "Last seen", cell: ({ servedAt }) => <Time at={servedAt} /> },
          ]}
        />
      </div>
    </Panel>
  );
}

function Print({ text, number }: { text: string; number: number | undefined }) {
  if (!text) return <span className="text-fg2">–</span>;
  return (
    <span className="inline-flex items-center gap-2">
      {number ? `v${number}` : "unknown"} <CopyText text={text} shown={shortHex(text, 12)} />
    </span>
  );
}

function ServedBadge({ deployment }: { deployment: Deployment }) {
  const {
    proven,
    servedFingerprintSha256: served,
    expectedFingerprintSha256: expected,
    versionId,
    driftedAt,
  } = deployment;
  if (proven)
    return (
      <Badge tone="ok" icon={CircleCheck}>
        Proven
      </Badge>
    );
  if (driftedAt || (served && expected && served !== expected))
    return (
      <span className="inline-flex flex-wrap items-center gap-x-2">
        <Badge tone="warn" icon={TriangleAlert}>
          {served ? "Serves another" : "Serves nothing"}
        </Badge>
        {driftedAt && (
          <span className="text-fg2">
            known <Time at={driftedAt} />
          </span>
        )}
      </span>
    );
  return (
    <Badge tone="muted" icon={CircleDashed}>
      {versionId ? "Not seen" : "Not deployed"}
    </Badge>
  );
}
