import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, RotateCw } from "lucide-react";
import { useState } from "react";
import { FailureClassSchema, type JobCause, JobService, JobTypeSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { usePermission } from "../../session/session.ts";
import { readable } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { EmptyState, Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText } from "../../ui/time-text.ts";
import { RetryCause } from "../jobs/retry-cause.tsx";

const hours = 24;
const shown = 5;

/** What failed in a day, by cause, with one button to try all of a cause again. */
export function Failures() {
  const causes = useQuery(JobService.method.listJobCauses, { hours });
  if (causes.error && !causes.data)
    return <ErrorCard error={causes.error} what="the failures" onRetry={() => void causes.refetch()} />;
  const all = causes.data?.data ?? [];
  return (
    <Panel title="Failed in 24 hours" note={causes.data && countText(all.length, "cause")}>
      {causes.isPending ? (
        <Skeleton lines={4} />
      ) : all.length === 0 ? (
        <EmptyState icon={CircleCheck} title="Nothing failed" />
      ) : (
        <ul className="flex flex-col gap-3">
          {all.slice(0, shown).map((cause) => (
            <Cause key={cause.id} cause={cause} />
          ))}
          {all.length > shown && (
            <li>
              <Link to="/jobs" search={{ view: "causes" } as never} className="text-accent hover:underline">
                {countText(all.length - shown, "more cause")}
              </Link>
            </li>
          )}
        </ul>
      )}
    </Panel>
  );
}

function Cause({ cause }: { cause: JobCause }) {
  const [isAsking, setAsking] = useState(false);
  const permission = usePermission("operations:write");
  const [sample = ""] = cause.sampleJobIds;
  return (
    <li className="flex items-start gap-3">
      <div className="min-w-0 flex-1">
        <Link to="/jobs/$id" params={{ id: sample }} className="line-clamp-2 break-words hover:text-accent">
          {cause.message || "No reason was given"}
        </Link>
        <p className="text-fg2 text-sm">
          {countText(cause.jobs, readable(JobTypeSchema, cause.type).toLowerCase())} at{" "}
          {cause.step || "an unknown step"}, {readable(FailureClassSchema, cause.failureClass).toLowerCase()},
          last <Time at={cause.lastAt} />
        </p>
      </div>
      <Button
        isSmall
        icon={RotateCw}
        disabledReason={permission.reason ?? (cause.retryable === 0 ? "A retry would not help" : undefined)}
        onClick={() => setAsking(true)}
      >
        Retry {cause.retryable}
      </Button>
      {isAsking && <RetryCause cause={cause} hours={hours} onClose={() => setAsking(false)} />}
    </li>
  );
}
