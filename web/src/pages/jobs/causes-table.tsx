import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, RotateCw } from "lucide-react";
import { useState } from "react";
import { FailureClassSchema, type JobCause, JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { usePermission } from "../../session/session.ts";
import { readable } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Select } from "../../ui/field.tsx";
import { FilterBar } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";
import { typeText } from "./jobs-table.tsx";
import { RetryCause } from "./retry-cause.tsx";

const spans = [
  { hours: 1, label: "The last hour" },
  { hours: 24, label: "The last day" },
  { hours: 168, label: "The last 7 days" },
  { hours: 720, label: "The last 30 days" },
];

/** What failed lately, put together by what it failed for. */
export function CausesTable({ hours, onHours }: { hours: number; onHours(hours: number): void }) {
  const [chosen, setChosen] = useState<JobCause>();
  const write = usePermission("jobs:write");
  const list = useQuery(JobService.method.listJobCauses, { hours }, { placeholderData: keepPreviousData });
  const columns: Column<JobCause>[] = [
    { key: "cause", header: "Cause", cell: (cause) => <Cause cause={cause} /> },
    { key: "what", header: "Of", cell: (cause) => <Subject cause={cause} /> },
    { key: "jobs", header: "Jobs", isRight: true, cell: ({ jobs }) => numberText(jobs) },
    {
      key: "certificates",
      header: "Certificates",
      isRight: true,
      from: "md",
      cell: ({ certificates }) => numberText(certificates),
    },
    { key: "last", header: "Last", cell: ({ lastAt }) => <Time at={lastAt} /> },
    { key: "first", header: "First", from: "lg", cell: ({ firstAt }) => <Time at={firstAt} /> },
    {
      key: "retry",
      header: "",
      isRight: true,
      cell: (cause) => (
        <Button
          isSmall
          icon={RotateCw}
          disabledReason={
            write.reason ??
            (cause.retryable === 0
              ? "Newer jobs have done their work, or their certificates are archived"
              : undefined)
          }
          onClick={() => setChosen(cause)}
        >
          Retry {numberText(cause.retryable)}
        </Button>
      ),
    },
  ];
  return (
    <>
      <FilterBar>
        <Select
          aria-label="How far back"
          className="!w-auto"
          value={hours}
          onChange={(event) => onHours(Number(event.target.value))}
        >
          {spans.map(({ hours: each, label }) => (
            <option key={each} value={each}>
              {label}
            </option>
          ))}
        </Select>
      </FilterBar>
      <ListBody
        label="Causes of failures"
        what="the causes"
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        summary={(cause) => (
          <>
            <span>{numberText(cause.jobs)} jobs</span>
            <Time at={cause.lastAt} />
            <Button isSmall icon={RotateCw} disabledReason={write.reason} onClick={() => setChosen(cause)}>
              Retry {numberText(cause.retryable)}
            </Button>
          </>
        )}
        page={String(hours)}
        empty={<EmptyState icon={CircleCheck} title="Nothing failed in this time" />}
      />
      {chosen && <RetryCause cause={chosen} hours={hours} onClose={() => setChosen(undefined)} />}
    </>
  );
}

function Cause({ cause: { step, message, sampleMessage, failureClass, sampleJobIds } }: { cause: JobCause }) {
  const [newest] = sampleJobIds;
  return (
    <div className="min-w-0">
      <Link
        to="/jobs/$id"
        params={{ id: newest ?? "" }}
        title={sampleMessage}
        className="block truncate hover:text-accent"
      >
        <span className="font-mono text-sm">{step}</span> {message}
      </Link>
      <span className="block truncate font-normal text-fg2 text-sm">
        {readable(FailureClassSchema, failureClass)}; the newest of them is shown
      </span>
    </div>
  );
}

function Subject({ cause: { type, issuerId, targetKind, agents } }: { cause: JobCause }) {
  const where = issuerId ? `by ${issuerId}` : targetKind ? `to ${targetKind}` : "";
  return (
    <span>
      {typeText(type)} {where}
      <span className="text-fg2">
        , {numberText(agents)} {agents === 1 ? "agent" : "agents"}
      </span>
    </span>
  );
}
