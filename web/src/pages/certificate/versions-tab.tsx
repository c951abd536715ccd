import { useQuery } from "@connectrpc/connect-query";
import { Layers, Undo2 } from "lucide-react";
import { useState } from "react";
import {
  type Certificate,
  CertificateService,
  type CertificateVersion,
} from "#gen/certctl/v1/certificates_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { RollBack } from "./roll-back.tsx";

/** All that was issued, newest first, each to be served again. */
export function VersionsTab({ certificate }: { certificate: Certificate }) {
  const { id, targetIds } = certificate;
  const [chosen, setChosen] = useState<CertificateVersion>();
  const renewing = usePermission("certificates:renew");
  const versions = useQuery(CertificateService.method.listCertificateVersions, { id, perPage: 100 });
  if (versions.error)
    return <ErrorCard error={versions.error} what="the versions" onRetry={() => void versions.refetch()} />;
  return (
    <Panel title="Versions" isFlush>
      <div className="px-2 pb-2">
        <DataTable
          label="Versions"
          rows={versions.data?.data ?? []}
          keyOf={(version) => version.id}
          isLoading={versions.isPending}
          summary={({ notAfter }) => <Time at={notAfter} />}
          empty={<EmptyState icon={Layers} title="Nothing was issued yet" />}
          columns={[
            {
              key: "serial",
              header: "Serial",
              cell: ({ serialNumber, current }) => (
                <span className="flex flex-wrap items-center gap-2">
                  <CopyText text={serialNumber} shown={shortHex(serialNumber, 20)} />
                  {current && <span className="text-fg2">current</span>}
                </span>
              ),
            },
            { key: "issued", header: "Issued", cell: ({ notBefore }) => <Time at={notBefore} /> },
            { key: "expires", header: "Expires", cell: ({ notAfter }) => <Time at={notAfter} /> },
            { key: "agent", header: "Key on", from: "md", cell: ({ agentId }) => agentId },
            {
              key: "action",
              header: "",
              isRight: true,
              cell: (version) =>
                version.current ? null : (
                  <Button
                    isSmall
                    icon={Undo2}
                    disabledReason={
                      renewing.reason ?? (targetIds.length === 0 ? "It has no targets" : undefined)
                    }
                    onClick={() => setChosen(version)}
                  >
                    Roll back to it…
                  </Button>
                ),
            },
          ]}
        />
      </div>
      {chosen && <RollBack certificate={certificate} version={chosen} onClose={() => setChosen(undefined)} />}
    </Panel>
  );
}
