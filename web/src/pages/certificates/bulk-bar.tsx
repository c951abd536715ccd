import type { MessageInitShape } from "@bufbuild/protobuf";
import { Archive, RefreshCw, ShieldX, UserRoundPen, X } from "lucide-react";
import { useState } from "react";
import type { CertificateFilterSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { OperationKind } from "#gen/certctl/v1/operations_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import type { Selection } from "../../ui/selection.ts";
import { countText, numberText } from "../../ui/time-text.ts";
import { BulkDialog } from "./bulk-dialog.tsx";

interface BulkBarProps {
  selection: Selection;
  filter: MessageInitShape<typeof CertificateFilterSchema>;
  /** How many the filter matches. */
  total: number;
  isFiltered: boolean;
}

/** Stands where the filters were while rows are chosen: what can be done with them, or with all that match. */
export function BulkBar({ selection, filter, total, isFiltered }: BulkBarProps) {
  const [isAll, setAll] = useState(false);
  const [kind, setKind] = useState<OperationKind>();
  const operate = usePermission("operations:write");
  const chosen = isAll ? total : selection.keys.size;
  const target = isAll ? filter : { id: [...selection.keys] };
  return (
    <section
      aria-label="Chosen certificates"
      className="flex min-h-8 flex-wrap items-center gap-2 rounded-panel border border-line2 bg-bg2 px-3 py-1"
    >
      <span aria-live="polite" className="font-medium">
        {numberText(chosen)} chosen
      </span>
      {!isAll && total > selection.keys.size && (
        <button
          type="button"
          className="rounded-control text-accent hover:underline"
          onClick={() => setAll(true)}
        >
          Choose all {numberText(total)} {isFiltered ? "that match" : "certificates"}
        </button>
      )}
      <span className="flex-1" />
      <Button
        isSmall
        icon={RefreshCw}
        disabledReason={operate.reason}
        onClick={() => setKind(OperationKind.RENEW)}
      >
        Renew…
      </Button>
      <Button
        isSmall
        icon={UserRoundPen}
        disabledReason={operate.reason}
        onClick={() => setKind(OperationKind.REASSIGN)}
      >
        Reassign…
      </Button>
      <Button
        isSmall
        kind="danger"
        icon={ShieldX}
        disabledReason={operate.reason}
        onClick={() => setKind(OperationKind.REVOKE)}
      >
        Revoke…
      </Button>
      <Button
        isSmall
        kind="danger"
        icon={Archive}
        disabledReason={operate.reason}
        onClick={() => setKind(OperationKind.ARCHIVE)}
      >
        Archive…
      </Button>
      <Button isSmall kind="quiet" icon={X} onClick={selection.clear}>
        Clear
      </Button>
      {kind !== undefined && (
        <BulkDialog
          kind={kind}
          filter={target}
          what={isAll && isFiltered ? "all that match the filters" : countText(chosen, "chosen certificate")}
          onClose={() => setKind(undefined)}
          onDone={selection.clear}
        />
      )}
    </section>
  );
}
