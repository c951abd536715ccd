import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Pause, Play, ScrollText } from "lucide-react";
import { useMemo } from "react";
import { type AuditEvent, AuditService } from "#gen/certctl/v1/audit_pb.ts";
import { serverNow } from "../../clock/now.ts";
import { Button } from "../../ui/button.tsx";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Pager } from "../../ui/pager.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { Settled } from "../../ui/settled.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { Actor, useKeyNames } from "./actor.tsx";
import { AuditMenu } from "./audit-menu.tsx";
import { EventDetails } from "./details.tsx";
import { AuditFilters } from "./filters.tsx";
import { auditParameters, filterOf, isFiltered, noFilter } from "./parameters.ts";
import { Resource } from "./resource.tsx";
import { SealState } from "./seal-state.tsx";
import { useTail } from "./tail.ts";
import { actionText } from "./words.ts";

const perPage = 100;

/** Who did what, as it happens. */
export function AuditPage() {
  const [values, set] = useParameters(auditParameters);
  const { page, peek, ...filters } = values;
  const key = JSON.stringify(filters);
  // Relative times count back from when they were chosen: the list must not be another one each second.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new moment for every new filter
  const now = useMemo(() => serverNow(), [key]);
  const filter = useMemo(() => filterOf(values, now), [values, now]);
  const list = useQuery(
    AuditService.method.listAuditEvents,
    { ...filter, page, perPage },
    { placeholderData: keepPreviousData },
  );
  const names = useKeyNames();
  const total = list.data?.total ?? 0;
  const isTail = page === 1 && filters.to === "";
  const tail = useTail({ rows: list.data?.data ?? [], total, list: `${key} ${page}` });
  const rows = isTail ? tail.rows : (list.data?.data ?? []);
  const columns = useMemo(() => columnsOf(names, (id) => set({ peek: id })), [names, set]);
  const peeked = rows.find(({ id }) => id === peek);
  return (
    <Page isWide>
      <Settled>
        <PageHeader title="Audit" count={list.data && total}>
          {isTail && (
            <Button
              icon={tail.isPaused ? Play : Pause}
              onClick={() => (tail.isPaused ? tail.resume() : tail.pause())}
            >
              {tail.isPaused ? `Paused, ${numberText(tail.waiting)} new` : "Pause"}
            </Button>
          )}
          <SealState />
          <AuditMenu filter={filter} total={total} />
        </PageHeader>
        <AuditFilters values={values} set={set} now={now} />
        {list.error && !list.data ? (
          <ErrorCard error={list.error} what="the audit" onRetry={() => void list.refetch()} />
        ) : (
          <DataTable
            label="Audit events"
            rows={rows}
            columns={columns}
            keyOf={({ id }) => id}
            summary={(event) => (
              <>
                <Resource event={event} isPlain />
                <Actor event={event} names={names} isPlain />
                <Time at={event.timestamp} isExact />
              </>
            )}
            // What is new is shown at once, unless one has paused.
            page={`${key} ${page} ${tail.isPaused ? "paused" : list.dataUpdatedAt}`}
            isLoading={list.isPending}
            isStale={list.isPlaceholderData}
            empty={<NoEvents isFiltered={isFiltered(values)} onClear={() => set(noFilter)} />}
          />
        )}
        {total > perPage && (
          <Pager page={page} perPage={perPage} total={total} onPage={(next) => set({ page: next })} />
        )}
        {peeked && (
          <Dialog
            shape="sheet"
            title={actionText(peeked.action)}
            onClose={() => set({ peek: "" })}
            footer={
              <Link to="/audit/$id" params={{ id: peeked.id }} className="text-accent hover:underline">
                Open as a page
              </Link>
            }
          >
            <EventDetails event={peeked} names={names} />
          </Dialog>
        )}
      </Settled>
    </Page>
  );
}

function columnsOf(names: ReadonlyMap<string, string>, onPeek: (id: string) => void): Column<AuditEvent>[] {
  return [
    {
      key: "action",
      header: "What",
      cell: (event) => (
        <Link
          to="/audit/$id"
          params={{ id: event.id }}
          className="block truncate hover:underline"
          onClick={(click) => {
            if (click.metaKey || click.ctrlKey || click.shiftKey) return;
            click.preventDefault();
            onPeek(event.id);
          }}
        >
          {actionText(event.action)}
        </Link>
      ),
    },
    { key: "resource", header: "To what", cell: (event) => <Resource event={event} /> },
    { key: "actor", header: "Who", cell: (event) => <Actor event={event} names={names} /> },
    { key: "time", header: "When", cell: ({ timestamp }) => <Time at={timestamp} isExact /> },
    {
      key: "sealed",
      header: "Number",
      from: "lg",
      isRight: true,
      cell: ({ seq }) => (seq === undefined ? <span className="text-fg2">not sealed</span> : numberText(seq)),
    },
  ];
}

function NoEvents({ isFiltered, onClear }: { isFiltered: boolean; onClear(): void }) {
  return (
    <EmptyState
      icon={ScrollText}
      title={isFiltered ? "No event matches" : "Nothing was done yet"}
      actions={isFiltered && <Button onClick={onClear}>Clear the filters</Button>}
    >
      {isFiltered
        ? "Widen the time, or take a filter away."
        : "Every change and every agent's action will stand here."}
    </EmptyState>
  );
}
