import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Link } from "@tanstack/react-router";
import { type Job, JobStatus, type JobType, JobTypeSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { useNow } from "../../clock/now.ts";
import { JobBadge } from "../../status/job-status.tsx";
import { readable } from "../../status/words.ts";
import type { Column } from "../../ui/data-table.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Time } from "../../ui/time.tsx";
import { elapsedText } from "../../ui/time-text.ts";

export type JobColumn = "certificate" | "target" | "agent";

/** The columns of a list of jobs; what the page is about anyway is left out. */
export function jobColumns(without: readonly JobColumn[] = []): Column<Job>[] {
  const columns: (Column<Job> & { about?: JobColumn })[] = [
    { key: "type", header: "Job", cell: (job) => <Name job={job} /> },
    {
      key: "status",
      header: "State",
      sort: "status",
      cell: ({ status, outcome }) => <JobBadge status={status} outcome={outcome} />,
    },
    {
      key: "certificate",
      header: "Certificate",
      about: "certificate",
      cell: ({ certificateId: id, certificateName }) => (
        <Link to="/certificates/$id" params={{ id }} className="hover:text-accent">
          {certificateName}
        </Link>
      ),
    },
    {
      key: "target",
      header: "Target",
      from: "lg",
      about: "target",
      cell: ({ targetId: id, targetName }) =>
        id ? (
          <Link to="/targets/$id" params={{ id }} className="hover:text-accent">
            {targetName}
          </Link>
        ) : (
          "–"
        ),
    },
    {
      key: "agent",
      header: "Agent",
      from: "lg",
      about: "agent",
      cell: ({ agentId: id, agentName }) => (
        <Link to="/agents/$id" params={{ id }} className="hover:text-accent">
          {agentName}
        </Link>
      ),
    },
    {
      key: "attempts",
      header: "Attempt",
      isRight: true,
      from: "md",
      cell: ({ attempts, maxAttempts }) => `${attempts}/${maxAttempts}`,
    },
    { key: "duration", header: "Took", isRight: true, from: "md", cell: (job) => <Took job={job} /> },
    {
      key: "created",
      header: "Created",
      sort: "created_at",
      from: "md",
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
  ];
  return columns.filter(({ about }) => !about || !without.includes(about));
}

export function typeText(type: JobType): string {
  return readable(JobTypeSchema, type);
}

/** What it is, and below it what it waits for or why it failed. */
function Name({ job }: { job: Job }) {
  const { id, type, status, waitingFor, error, runAfter } = job;
  const isPlanned = waitingFor !== "" && status === JobStatus.PENDING && runAfter !== undefined;
  return (
    <div className="min-w-0">
      <Link to="/jobs/$id" params={{ id }} className="block truncate hover:text-accent">
        {typeText(type)}
      </Link>
      {(waitingFor || (error && status !== JobStatus.COMPLETED)) && (
        <span className="block truncate font-normal text-fg2 text-sm" title={error?.message}>
          {waitingFor ? (
            <>
              waits for {waitingFor}
              {isPlanned && <NextTry at={timestampDate(runAfter)} />}
            </>
          ) : (
            `${error?.step}: ${error?.message}`
          )}
        </span>
      )}
    </div>
  );
}

function NextTry({ at }: { at: Date }) {
  const now = useNow();
  return at > now ? (
    <>
      {", "}
      <Time at={at} />
    </>
  ) : null;
}

/** How long it took, or takes so far, against how long such jobs take. */
export function Took({ job }: { job: Job }) {
  const now = useNow();
  const { durationMs, expectedMs, startedAt, status } = job;
  const isOpen = status === JobStatus.RUNNING || status === JobStatus.AWAITING_CSR;
  const ms =
    durationMs ??
    (isOpen && startedAt ? Math.max(0, now.getTime() - timestampDate(startedAt).getTime()) : undefined);
  if (ms === undefined) return <span className="text-fg2">–</span>;
  const isLong = expectedMs !== undefined && expectedMs > 0 && ms > 3 * expectedMs && ms > 1_000;
  return (
    <span title={expectedMs === undefined ? undefined : `Usually ${elapsedText(expectedMs)}`}>
      <span className={isLong ? "tone-warn tone-text" : undefined}>{elapsedText(ms)}</span>
      {expectedMs !== undefined && <span className="text-fg2">, usually {elapsedText(expectedMs)}</span>}
    </span>
  );
}

interface JobsTableProps {
  label: string;
  list: Parameters<typeof ListBody<Job>>[0]["list"];
  /** What stands where there are none. */
  none: string;
  without?: readonly JobColumn[];
}

/** Jobs within a page that is about something else. */
export function JobsTable({ label, list, none, without = [] }: JobsTableProps) {
  return (
    <div className="px-2 pb-2">
      <ListBody
        label={label}
        what="the jobs"
        list={list}
        columns={jobColumns(without)}
        keyOf={({ id }) => id}
        summary={(job) => <JobBadge status={job.status} outcome={job.outcome} />}
        empty={<p className="px-2 pb-2 text-fg2">{none}</p>}
      />
    </div>
  );
}
