import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { ListChecks } from "lucide-react";
import { type Job, JobService, JobStatus, JobType, JobTypeSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { JobBadge } from "../../status/job-status.tsx";
import { readable } from "../../status/words.ts";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";

const perPage = 6;
// Looking at what is served goes on all the time.
const types = [JobType.ISSUANCE, JobType.RENEWAL, JobType.DEPLOYMENT];
const open = [JobStatus.RUNNING, JobStatus.AWAITING_CSR, JobStatus.PENDING];

const columns: Column<Job>[] = [
  {
    key: "job",
    header: "Job",
    cell: ({ id, type, certificateName }) => (
      <Link to="/jobs/$id" params={{ id }} className="block truncate hover:text-accent">
        {readable(JobTypeSchema, type)} of {certificateName}
      </Link>
    ),
  },
  {
    key: "state",
    header: "State",
    cell: ({ status, outcome }) => <JobBadge status={status} outcome={outcome} />,
  },
  {
    key: "waits",
    header: "Waits for",
    from: "xl",
    cell: ({ waitingFor }) => <span className="block max-w-48 truncate">{waitingFor || "–"}</span>,
  },
  { key: "since", header: "Since", cell: ({ createdAt }) => <Time at={createdAt} /> },
];

/** What is being worked on now. */
export function RunningJobs() {
  const list = useQuery(JobService.method.listJobs, {
    status: open,
    type: types,
    perPage,
    sort: "-created_at",
  });
  if (list.error && !list.data)
    return <ErrorCard error={list.error} what="the jobs" onRetry={() => void list.refetch()} />;
  const total = list.data?.total ?? 0;
  return (
    <Panel
      title="Under way"
      note={list.data && numberText(total)}
      isFlush
      actions={
        <Link to="/jobs" className="text-accent hover:underline">
          All jobs
        </Link>
      }
    >
      <div className="px-2 pb-2">
        <DataTable
          label="Jobs under way"
          rows={list.data?.data ?? []}
          columns={columns}
          keyOf={({ id }) => id}
          summary={(job) => <JobBadge status={job.status} outcome={job.outcome} />}
          isLoading={list.isPending}
          empty={<EmptyState icon={ListChecks} title="No job is open" />}
        />
      </div>
    </Panel>
  );
}
