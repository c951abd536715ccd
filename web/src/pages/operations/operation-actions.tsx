import { createClient } from "@connectrpc/connect";
import { useMutation, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Ban, Check, Download, Pause, Play, RotateCw } from "lucide-react";
import { useState } from "react";
import {
  type Operation,
  type OperationItem,
  OperationItemStatus,
  OperationItemStatusSchema,
  OperationKind,
  OperationService,
  OperationStatus,
} from "#gen/certctl/v1/operations_pb.ts";
import { csvHead, csvRow } from "../../../../src/rest/csv.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { wordOfValue } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { countText, numberText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { saveText } from "./save-text.ts";

const pageOf = 500;

/** The say over an operation: a yes, a pause, an end, and another try for what failed. */
export function OperationActions({ operation }: { operation: Operation }) {
  const { id, status, failed, total, done, skipped, kind } = operation;
  const [isAsking, setAsking] = useState(false);
  const { reason } = usePermission("operations:write");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const transport = useTransport();
  const answers = {
    onSuccess: () => refresh(queries, OperationService),
    onError: (error: unknown) => toast(messageOf(error)),
  };
  const approve = useMutation(OperationService.method.approveOperation, answers);
  const pause = useMutation(OperationService.method.pauseOperation, answers);
  const resume = useMutation(OperationService.method.resumeOperation, answers);
  const cancel = useMutation(OperationService.method.cancelOperation);
  const create = useMutation(OperationService.method.createOperation);
  const isOpen = status === OperationStatus.RUNNING || status === OperationStatus.PAUSED;
  const isWaiting = status === OperationStatus.AWAITING_APPROVAL;
  const isRepeatable = [OperationKind.RENEW, OperationKind.REASSIGN, OperationKind.ARCHIVE].includes(
    kind as never,
  );

  async function items(wanted: OperationItemStatus[]): Promise<OperationItem[]> {
    const all: OperationItem[] = [];
    for (let cursor = ""; ; ) {
      const request = { id, status: wanted, perPage: pageOf, cursor };
      const page = await createClient(OperationService, transport).listOperationItems(request);
      all.push(...page.data);
      if (page.nextCursor === "") return all;
      cursor = page.nextCursor;
    }
  }

  async function retryFailed(): Promise<void> {
    const ids = (await items([OperationItemStatus.FAILED])).map(({ certificateId }) => certificateId);
    const wanted = {
      kind,
      filter: { id: ids.slice(0, 1_000) },
      ...(kind === OperationKind.REASSIGN && operation.changes ? { changes: operation.changes } : {}),
    };
    const { operation: next } = await create.mutateAsync(wanted);
    if (next) void navigate({ to: "/operations/$id", params: { id: next.id } });
  }

  async function save(): Promise<void> {
    const rows = await items([]);
    const columns = ["certificate_id", "certificate_name", "status", "message", "job_ids"];
    const lines = rows.map(({ certificateId, certificateName, status: result, message, jobIds }) =>
      csvRow(columns, {
        certificate_id: certificateId,
        certificate_name: certificateName,
        status: wordOfValue(OperationItemStatusSchema, result),
        message,
        job_ids: jobIds.join(" "),
      }),
    );
    saveText(`${id}.csv`, csvHead(columns) + lines.join(""));
  }

  const failing = (work: Promise<void>) => void work.catch((error: unknown) => toast(messageOf(error)));
  return (
    <>
      <Button
        icon={Download}
        disabledReason={total === 0 ? "It has no certificates" : undefined}
        onClick={() => failing(save())}
      >
        Export results
      </Button>
      {isRepeatable && failed > 0 && !isOpen && (
        <Button
          icon={RotateCw}
          isPending={create.isPending}
          disabledReason={reason}
          onClick={() => failing(retryFailed())}
        >
          Retry {countText(failed, "failed one", "failed ones")}
        </Button>
      )}
      {(isOpen || isWaiting) && (
        <Button icon={Ban} disabledReason={reason} onClick={() => setAsking(true)}>
          Cancel operation
        </Button>
      )}
      {status === OperationStatus.RUNNING && (
        <Button
          icon={Pause}
          isPending={pause.isPending}
          disabledReason={reason}
          onClick={() => pause.mutate({ id })}
        >
          Pause
        </Button>
      )}
      {status === OperationStatus.PAUSED && (
        <Button
          kind="primary"
          icon={Play}
          isPending={resume.isPending}
          disabledReason={reason}
          onClick={() => resume.mutate({ id })}
        >
          Resume
        </Button>
      )}
      {isWaiting && (
        <Button
          kind="primary"
          icon={Check}
          isPending={approve.isPending}
          disabledReason={reason}
          onClick={() => approve.mutate({ id })}
        >
          Approve {countText(total, "certificate")}
        </Button>
      )}
      {isAsking && (
        <Confirm
          title="Cancel this operation"
          action="Cancel 1 operation"
          isDangerous
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await cancel.mutateAsync({ id });
            await refresh(queries, OperationService);
          }}
        >
          <p>
            {numberText(total - done - skipped - failed)} of {countText(total, "certificate")} are left as
            they are. What it has done stays done.
          </p>
        </Confirm>
      )}
    </>
  );
}
