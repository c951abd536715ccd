import type { MessageInitShape } from "@bufbuild/protobuf";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { CertificateFilterSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { OperationKind, OperationService, type ReassignmentSchema } from "#gen/certctl/v1/operations_pb.ts";
import { asCommand, asCurl } from "../../api/copy-as.ts";
import { firstWish, RevocationFields } from "../../status/revocation-fields.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard, ErrorNote } from "../../ui/error-card.tsx";
import { countText, numberText } from "../../ui/time-text.ts";
import { ReassignFields } from "./reassign-fields.tsx";

type Changes = MessageInitShape<typeof ReassignmentSchema>;

interface BulkDialogProps {
  kind: OperationKind;
  /** Frozen when the dialog opens: going back and forth in the list does not change what it acts on. */
  filter: MessageInitShape<typeof CertificateFilterSchema>;
  what: string;
  onClose(): void;
  onDone(): void;
}

const words: Readonly<Partial<Record<OperationKind, { verb: string; does: string }>>> = {
  [OperationKind.RENEW]: {
    verb: "Renew",
    does: "Each gets a new key and a new certificate, which is deployed and proven. What is being renewed already is skipped.",
  },
  [OperationKind.REASSIGN]: { verb: "Reassign", does: "What is left as it is stays so for each of them." },
  [OperationKind.ARCHIVE]: {
    verb: "Archive",
    does: "They are renewed no more and leave the lists. What is served stays served until it expires; each can be restored.",
  },
  [OperationKind.REVOKE]: {
    verb: "Revoke",
    does: "Every valid version of each is revoked by its issuer. A revocation cannot be taken back.",
  },
};

/** Counts first, then acts on exactly what was counted. */
export function BulkDialog({ kind, filter: given, what, onClose, onDone }: BulkDialogProps) {
  const [filter] = useState(given);
  const [changes, setChanges] = useState<Changes>({});
  const [revocation, setRevocation] = useState(firstWish);
  const navigate = useNavigate();
  const isReassign = kind === OperationKind.REASSIGN;
  const isRevoke = kind === OperationKind.REVOKE;
  const request = { kind, filter, ...(isReassign && { changes }), ...(isRevoke && { revocation }) };
  const dryRun = useQuery(OperationService.method.dryRunOperation, request, {
    enabled: !isReassign || Object.keys(changes).length > 0,
    gcTime: 0,
  });
  const create = useMutation(OperationService.method.createOperation);
  const total = dryRun.data?.total;
  const { verb = "Change", does = "" } = words[kind] ?? {};
  const action = total === undefined ? verb : `${verb} ${countText(total, "certificate")}`;
  const input = { ...request, ...(total !== undefined && { expectedTotal: total }) };
  const reason =
    isReassign && Object.keys(changes).length === 0
      ? "Choose what to change first"
      : total === undefined
        ? "Wait for the count"
        : total === 0
          ? "Nothing matches"
          : undefined;
  const start = async () => {
    const { operation } = await create.mutateAsync(input);
    onDone();
    onClose();
    if (operation) void navigate({ to: "/operations/$id", params: { id: operation.id } });
  };
  return (
    <Dialog
      title={`${verb} ${what}`}
      shape="wide"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind={kind === OperationKind.ARCHIVE || isRevoke ? "danger" : "primary"}
            isPending={create.isPending}
            disabledReason={reason}
            onClick={() => void start().catch(() => {})}
          >
            {action}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <p className="text-fg1">{does}</p>
        {isReassign && <ReassignFields changes={changes} onChange={setChanges} />}
        {isRevoke && <RevocationFields wish={revocation} onChange={setRevocation} />}
        {dryRun.error && (
          <ErrorCard error={dryRun.error} what="what it would do" onRetry={() => void dryRun.refetch()} />
        )}
        {dryRun.isLoading && <Skeleton lines={2} />}
        {dryRun.data && (
          <div className="text-fg1">
            <p>
              <strong className="font-semibold text-fg0">{numberText(dryRun.data.total)}</strong> match now
              {dryRun.data.inUse > 0 &&
                `, ${numberText(dryRun.data.inUse)} of them are in use and will be refused`}
              {dryRun.data.examples.length > 0 && ", among them:"}
            </p>
            <ul className="mt-1 columns-1 font-mono text-sm sm:columns-2">
              {dryRun.data.examples.map(({ id, name }) => (
                <li key={id} className="truncate">
                  {name}
                </li>
              ))}
            </ul>
          </div>
        )}
        {create.error && <ErrorNote error={create.error} />}
        <details>
          <summary className="cursor-pointer rounded-control text-fg2">As a command and as a call</summary>
          <div className="mt-2 flex flex-col gap-2">
            <CodeBlock label="the command" text={asCommand(OperationService.method.createOperation, input)} />
            <CodeBlock
              label="the call"
              text={asCurl(OperationService.method.createOperation, input, location.origin)}
            />
          </div>
        </details>
      </div>
    </Dialog>
  );
}
