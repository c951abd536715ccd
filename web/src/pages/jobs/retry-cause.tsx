import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useNavigate } from "@tanstack/react-router";
import { type JobCause, JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ErrorNote } from "../../ui/error-card.tsx";
import { countText } from "../../ui/time-text.ts";

/** Retries everything that failed for one cause, as an operation that can be followed. */
export function RetryCause({ cause, hours, onClose }: { cause: JobCause; hours: number; onClose(): void }) {
  const navigate = useNavigate();
  const counted = useMutation(JobService.method.retryJobs);
  const retry = useMutation(JobService.method.retryJobs);
  const total = counted.data?.jobs ?? cause.retryable;
  const start = async () => {
    const wanted = { causeId: cause.id, hours, expectedJobs: total };
    const { operationId } = await retry.mutateAsync(wanted).catch(async (error: unknown) => {
      // Another number failed for it by now: the next click acts on what is counted now.
      await counted.mutateAsync({ causeId: cause.id, hours, dryRun: true });
      throw error;
    });
    onClose();
    void navigate({ to: "/operations/$id", params: { id: operationId } });
  };
  const sample = useQuery(JobService.method.getJob, { id: cause.sampleJobIds[0] ?? "" }).data?.job;
  return (
    <Dialog
      title="Retry a cause"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            isPending={retry.isPending}
            disabledReason={total === 0 ? "Nothing is left to retry" : undefined}
            onClick={() => void start().catch(() => {})}
          >
            Retry {countText(total, "job")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3 text-fg1">
        <p className="break-words">
          <span className="font-mono text-sm">{cause.step}</span>{" "}
          {sample?.error?.message ?? cause.sampleMessage}
        </p>
        <p>
          {countText(total, "job")} of{" "}
          {countText(counted.data?.certificates ?? cause.certificates, "certificate")} get another round of
          attempts, one after the other. What somebody mended since will pass; what nobody mended will fail
          again.
        </p>
        {cause.jobs > total && (
          <p>
            {countText(cause.jobs - total, "other job")} failed the same way and would gain nothing by it.
          </p>
        )}
        {retry.error && <ErrorNote error={retry.error} />}
      </div>
    </Dialog>
  );
}
