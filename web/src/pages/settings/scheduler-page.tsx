import { useMutation, useQuery } from "@connectrpc/connect-query";
import { CircleCheck, CircleX, Play, RotateCw } from "lucide-react";
import { useState } from "react";
import { type ScheduledTask, SchedulerService } from "#gen/certctl/v1/scheduler_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { usePermission } from "../../session/session.ts";
import { State } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { durationText, elapsedText, numberText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { SettingsTabs } from "./settings-tabs.tsx";

/** What certctl does by itself. */
export function SchedulerPage() {
  const list = useQuery(SchedulerService.method.listScheduledTasks);
  return (
    <Page isWide>
      <PageHeader title="Scheduled tasks" count={list.data?.data.length} />
      <SettingsTabs />
      {list.error && !list.data ? (
        <ErrorCard error={list.error} what="the scheduled tasks" onRetry={() => void list.refetch()} />
      ) : (
        <DataTable
          label="Scheduled tasks"
          rows={list.data?.data ?? []}
          columns={columns}
          keyOf={({ name }) => name}
          summary={(task) => (
            <>
              <LastRun task={task} />
              <RunNow name={task.name} />
            </>
          )}
          isLoading={list.isPending}
          empty={<EmptyState icon={RotateCw} title="No scheduled tasks" />}
        />
      )}
    </Page>
  );
}

const columns: Column<ScheduledTask>[] = [
  {
    key: "name",
    header: "Task",
    cell: ({ name, title }) => (
      <span className="flex flex-col">
        <span>{title}</span>
        <span className="font-mono font-normal text-fg2 text-sm">{name}</span>
      </span>
    ),
  },
  { key: "interval", header: "Every", cell: ({ intervalSeconds }) => durationText(intervalSeconds * 1_000) },
  { key: "last", header: "Last run", cell: (task) => <LastRun task={task} /> },
  {
    key: "took",
    header: "Took",
    isRight: true,
    from: "lg",
    cell: ({ lastDurationMs, lastStartedAt }) => (lastStartedAt ? elapsedText(lastDurationMs) : "–"),
  },
  { key: "next", header: "Next", from: "md", cell: ({ nextRunAt }) => <Time at={nextRunAt} /> },
  {
    key: "runs",
    header: "Runs",
    isRight: true,
    from: "lg",
    cell: ({ runs, failures }) => (
      <span>
        {numberText(runs)}
        {failures > 0 && <span className="tone-bad tone-text"> · {numberText(failures)} failed</span>}
      </span>
    ),
  },
  { key: "run", header: "Actions", isRight: true, cell: ({ name }) => <RunNow name={name} /> },
];

function LastRun({ task }: { task: ScheduledTask }) {
  const { running, lastStartedAt, lastResult, lastError } = task;
  if (running)
    return (
      <State tone="due" icon={RotateCw}>
        running
      </State>
    );
  if (!lastStartedAt) return <span className="text-fg2">not yet</span>;
  return (
    <span className="flex flex-col">
      <State tone={lastError ? "bad" : "ok"} icon={lastError ? CircleX : CircleCheck}>
        <Time at={lastStartedAt} />
      </State>
      <span className="max-w-96 truncate text-fg2 text-sm" title={lastError || lastResult}>
        {lastError || lastResult}
      </span>
    </span>
  );
}

function RunNow({ name }: { name: string }) {
  const { reason } = usePermission("scheduler:run");
  const [isAsked, setAsked] = useState(false);
  const run = useMutation(SchedulerService.method.runScheduledTask, {
    onSuccess: () => setAsked(true),
    onError: (error) => toast(messageOf(error)),
  });
  return (
    <Button
      isSmall
      icon={Play}
      isPending={run.isPending}
      disabledReason={reason}
      aria-label={`${isAsked ? "Run again" : "Run now"}: ${name}`}
      onClick={() => run.mutate({ name })}
    >
      {isAsked ? "Run again" : "Run now"}
    </Button>
  );
}
