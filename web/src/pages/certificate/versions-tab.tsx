import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { GitCompareArrows, Layers, ShieldX, Undo2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import {
  type Certificate,
  CertificateService,
  type CertificateVersion,
  RevocationReasonSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { usePermission } from "../../session/session.ts";
import { readable } from "../../status/words.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, buttonClass } from "../../ui/button.tsx";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { RollBack } from "./roll-back.tsx";

const Revoke = lazy(() => import("./revoke.tsx").then(({ Revoke }) => ({ default: Revoke })));

/** All that was issued, newest first, each to be looked into, compared and served again. */
export function VersionsTab({ certificate }: { certificate: Certificate }) {
  const { id, targetIds } = certificate;
  const [chosen, setChosen] = useState<CertificateVersion>();
  const [condemned, setCondemned] = useState<CertificateVersion>();
  const revoking = usePermission("certificates:revoke");
  const renewing = usePermission("certificates:renew");
  const versions = useQuery(CertificateService.method.listCertificateVersions, { id, perPage: 100 });
  const deployments = useQuery(CertificateService.method.listCertificateDeployments, { id });
  if (versions.error)
    return <ErrorCard error={versions.error} what="the versions" onRetry={() => void versions.refetch()} />;
  const servedBy = (version: CertificateVersion) =>
    (deployments.data?.data ?? []).filter(
      ({ servedFingerprintSha256 }) => servedFingerprintSha256 === version.fingerprintSha256,
    );
  const current = versions.data?.data.find((version) => version.current);
  return (
    <Panel title="Versions" isFlush>
      <div className="px-2 pb-2">
        <DataTable
          label="Versions"
          rows={versions.data?.data ?? []}
          keyOf={(version) => version.id}
          isLoading={versions.isPending}
          summary={({ notAfter, serialNumber }) => (
            <>
              <span className="font-mono text-sm">{shortHex(serialNumber, 12)}</span>
              <Time at={notAfter} />
            </>
          )}
          empty={<EmptyState icon={Layers} title="Nothing was issued yet" />}
          columns={[
            {
              key: "number",
              header: "Version",
              cell: (version) => (
                <span className="flex flex-wrap items-center gap-2">
                  <Link
                    to="/certificates/$id/versions/$version"
                    params={{ id, version: version.id }}
                    className="hover:text-accent"
                  >
                    v{version.number}
                  </Link>
                  {version.current && <span className="font-normal text-fg2">current</span>}
                  {version.revokedAt && (
                    <Badge tone="revoked" icon={ShieldX}>
                      Revoked: {readable(RevocationReasonSchema, version.revocationReason).toLowerCase()}
                    </Badge>
                  )}
                </span>
              ),
            },
            {
              key: "serial",
              header: "Serial",
              from: "md",
              cell: ({ serialNumber }) => <CopyText text={serialNumber} shown={shortHex(serialNumber)} />,
            },
            { key: "issued", header: "Issued", cell: ({ notBefore }) => <Time at={notBefore} /> },
            { key: "expires", header: "Expires", cell: ({ notAfter }) => <Time at={notAfter} /> },
            { key: "agent", header: "Key on", from: "lg", cell: ({ agentId }) => agentId },
            {
              key: "served",
              header: "Served by",
              from: "md",
              cell: (version) =>
                servedBy(version)
                  .map(({ targetName, targetId }) => targetName || targetId)
                  .join(", ") || <span className="text-fg2">nobody</span>,
            },
            {
              key: "action",
              header: "",
              isRight: true,
              cell: (version) => (
                <span className="inline-flex gap-2">
                  {current && version.id !== current.id && (
                    <Link
                      to="/certificates/$id/versions/$version"
                      params={{ id, version: version.id }}
                      search={{ compare: current.id } as never}
                      className={buttonClass("default", true)}
                    >
                      <GitCompareArrows aria-hidden size={14} />
                      Compare
                    </Link>
                  )}
                  {!version.revokedAt &&
                    (!version.current || servedBy(version).length < targetIds.length) && (
                      <Button
                        isSmall
                        icon={Undo2}
                        disabledReason={
                          renewing.reason ?? (targetIds.length === 0 ? "It has no targets" : undefined)
                        }
                        onClick={() => setChosen(version)}
                      >
                        {version.current ? "Go back to it…" : "Roll back to it…"}
                      </Button>
                    )}
                  {!version.revokedAt && (
                    <Button
                      isSmall
                      icon={ShieldX}
                      disabledReason={revoking.reason}
                      onClick={() => setCondemned(version)}
                    >
                      Revoke…
                    </Button>
                  )}
                </span>
              ),
            },
          ]}
        />
      </div>
      {chosen && <RollBack certificate={certificate} version={chosen} onClose={() => setChosen(undefined)} />}
      <Suspense>
        {condemned && (
          <Revoke certificate={certificate} version={condemned} onClose={() => setCondemned(undefined)} />
        )}
      </Suspense>
    </Panel>
  );
}
