import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { UserRoundPen } from "lucide-react";
import { useState } from "react";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { OperationKind } from "#gen/certctl/v1/operations_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { countText, numberText } from "../../ui/time-text.ts";
import { BulkDialog } from "../certificates/bulk-dialog.tsx";
import { Inventory } from "../overview/inventory.tsx";

interface OwnedCertificatesProps {
  kind: "owner" | "team";
  id: string;
  name: string;
}

/** How the certificates of an owner or a team stand, and all of them to somebody else. */
export function OwnedCertificates({ kind, id, name }: OwnedCertificatesProps) {
  const [isReassigning, setReassigning] = useState(false);
  const operate = usePermission("operations:write");
  const filter = kind === "owner" ? { ownerIds: [id] } : { teamIds: [id] };
  const facets = useQuery(CertificateService.method.listCertificateFacets, filter);
  const total = facets.data?.total ?? 0;
  if (facets.error && !facets.data)
    return <ErrorCard error={facets.error} what="the certificates" onRetry={() => void facets.refetch()} />;
  return (
    <Panel
      title="Certificates"
      note={facets.data && numberText(total)}
      actions={
        <>
          <Link to="/certificates" search={{ [kind]: id } as never} className="text-accent hover:underline">
            Show them
          </Link>
          <Button
            isSmall
            icon={UserRoundPen}
            disabledReason={operate.reason ?? (total === 0 ? "There are none" : undefined)}
            onClick={() => setReassigning(true)}
          >
            Reassign {countText(total, "certificate")}
          </Button>
        </>
      }
    >
      {facets.data ? <Inventory facets={facets.data} search={{ [kind]: id }} /> : <Skeleton lines={2} />}
      {isReassigning && (
        <BulkDialog
          kind={OperationKind.REASSIGN}
          filter={filter}
          what={`everything of ${name}`}
          onClose={() => setReassigning(false)}
          onDone={() => {}}
        />
      )}
    </Panel>
  );
}
