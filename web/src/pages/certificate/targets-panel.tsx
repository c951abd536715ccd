import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed, Target as TargetIcon, TriangleAlert } from "lucide-react";
import { type Certificate, CertificateService, type Deployment } from "#gen/certctl/v1/certificates_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { Badge } from "../../ui/badge.tsx";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

/** What each target serves, against what it is expected to. */
export function TargetsPanel({ certificate: { id } }: { certificate: Certificate }) {
  const deployments = useQuery(CertificateService.method.listCertificateDeployments, { id });
  const targets = useQuery(TargetService.method.listTargets, { certificateId: id, perPage: 500 });
  const names = new Map(targets.data?.data.map((target) => [target.id, target]));
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
              cell: ({ targetId }) => (
                <Link to="/targets/$id" params={{ id: targetId }} className="hover:text-accent">
                  {names.get(targetId)?.name ?? targetId}
                </Link>
              ),
            },
            { key: "state", header: "State", cell: (deployment) => <ServedBadge deployment={deployment} /> },
            {
              key: "served",
              header: "Serves",
              from: "md",
              cell: ({ servedFingerprintSha256 }) => <Print text={servedFingerprintSha256} />,
            },
            {
              key: "expected",
              header: "Expected",
              from: "lg",
              cell: ({ fingerprintSha256 }) => <Print text={fingerprintSha256} />,
            },
            { key: "seen", header: "Last seen", cell: ({ servedAt }) => <Time at={servedAt} /> },
          ]}
        />
      </div>
    </Panel>
  );
}

function Print({ text }: { text: string }) {
  return text ? <CopyText text={text} shown={shortHex(text)} /> : <span className="text-fg2">–</span>;
}

function ServedBadge({ deployment }: { deployment: Deployment }) {
  const { versionId, fingerprintSha256, servedFingerprintSha256 } = deployment;
  if (!versionId)
    return (
      <Badge tone="muted" icon={CircleDashed}>
        Not deployed
      </Badge>
    );
  return servedFingerprintSha256 === fingerprintSha256 ? (
    <Badge tone="ok" icon={CircleCheck}>
      Proven
    </Badge>
  ) : (
    <Badge tone="warn" icon={TriangleAlert}>
      Serves another
    </Badge>
  );
}
