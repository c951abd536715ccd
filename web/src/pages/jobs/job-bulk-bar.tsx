import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Ban, RotateCw, X } from "lucide-react";
import { useState } from "react";
import { type Job, JobService, JobStatus } from "#gen/certctl/v1/jobs_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import type { Selection } from "../../ui/selection.ts";
import { countText, numberText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";

const ended: readonly JobStatus[] = [JobStatus.FAILED, JobStatus.CANCELLED];

/** What can be done with the chosen jobs of the page: those that came to nothing are retried, open ones cancelled. */
export function JobBulkBar({ jobs, selection }: { jobs: readonly Job[]; selection: Selection }) {
  const [isAsking, setAsking] = useState(false);
  const [isPending, setPending] = useState(false);
  const { reason } = usePermission("jobs:write");
  const client = createClient(JobService, useTransport());
  const queries = useQueryClient();
  const chosen = jobs.filter(({ id }) => selection.keys.has(id));
  const retryable = chosen.filter(({ status }) => ended.includes(status));
  const open = chosen.filter(({ status }) => status !== JobStatus.COMPLETED && !ended.includes(status));

  /** One after the other; what is refused is said, and the others go on. */
  async function each(
    of: readonly Job[],
    done: string,
    act: (id: string) => Promise<unknown>,
  ): Promise<void> {
    setPending(true);
    const refusals: string[] = [];
    for (const { id } of of) await act(id).catch((error: unknown) => refusals.push(messageOf(error)));
    setPending(false);
    selection.clear();
    await refresh(queries, JobService);
    const [first] = refusals;
    const count = countText(of.length - refusals.length, "job");
    toast(first ? `${count} ${done}, ${numberText(refusals.length)} refused: ${first}` : `${count} ${done}`);
  }

  return (
    <section
      aria-label="Chosen jobs"
      className="flex min-h-8 flex-wrap items-center gap-2 rounded-panel border border-line2 bg-bg2 px-3 py-1"
    >
      <span aria-live="polite" className="flex-1 font-medium">
        {numberText(chosen.length)} chosen
      </span>
      <Button
        isSmall
        icon={RotateCw}
        isPending={isPending}
        disabledReason={
          reason ?? (retryable.length === 0 ? "None of them failed or was cancelled" : undefined)
        }
        onClick={() => void each(retryable, "retried", (id) => client.retryJob({ id }))}
      >
        Retry {countText(retryable.length, "job")}
      </Button>
      <Button
        isSmall
        kind="danger"
        icon={Ban}
        isPending={isPending}
        disabledReason={reason ?? (open.length === 0 ? "None of them is open" : undefined)}
        onClick={() => setAsking(true)}
      >
        Cancel {countText(open.length, "job")}
      </Button>
      <Button isSmall kind="quiet" icon={X} onClick={selection.clear}>
        Clear
      </Button>
      {isAsking && (
        <Confirm
          title={`Cancel ${countText(open.length, "job")}`}
          action={`Cancel ${countText(open.length, "job")}`}
          isDangerous
          onClose={() => setAsking(false)}
          onConfirm={() => each(open, "cancelled", (id) => client.cancelJob({ id }))}
        >
          <p>Agents that are at them bring back what they have changed. What is served now stays served.</p>
        </Confirm>
      )}
    </section>
  );
}
