import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Ban, RotateCw } from "lucide-react";
import { useState } from "react";
import { type Job, JobService, JobStatus } from "#gen/certctl/v1/jobs_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { toast } from "../../ui/toast.tsx";

const ended: readonly JobStatus[] = [JobStatus.FAILED, JobStatus.CANCELLED];

/** What can be done with a job: an open one is cancelled, one that came to nothing is retried. */
export function JobActions({ job }: { job: Job }) {
  const [isAsking, setAsking] = useState(false);
  const { reason } = usePermission("jobs:write");
  const queries = useQueryClient();
  const cancel = useMutation(JobService.method.cancelJob);
  const retry = useMutation(JobService.method.retryJob, {
    onSuccess: async () => {
      toast("Retry queued");
      await refresh(queries, JobService);
    },
    onError: (error) => toast(messageOf(error)),
  });
  if (job.status === JobStatus.COMPLETED) return null;
  if (ended.includes(job.status))
    return (
      <Button
        kind="primary"
        icon={RotateCw}
        isPending={retry.isPending}
        disabledReason={reason}
        onClick={() => retry.mutate({ id: job.id })}
      >
        Retry
      </Button>
    );
  return (
    <>
      <Button icon={Ban} disabledReason={reason} onClick={() => setAsking(true)}>
        Cancel job
      </Button>
      {isAsking && (
        <Confirm
          title="Cancel this job"
          action="Cancel 1 job"
          isDangerous
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await cancel.mutateAsync({ id: job.id });
            await refresh(queries, JobService);
          }}
        >
          <p>
            {job.targetId
              ? "An agent that is at it drops it and brings back what it has changed; the certificate that was served before stays served."
              : "No certificate comes of it. What is served now stays served until it expires; another renewal can be asked for at once."}
          </p>
        </Confirm>
      )}
    </>
  );
}
