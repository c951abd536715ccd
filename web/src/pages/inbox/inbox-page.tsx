import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { BellOff, Check, Clock, Inbox as InboxIcon } from "lucide-react";
import { useCallback, useMemo } from "react";
import {
  type NotificationGroup,
  NotificationGroupStateSchema,
  NotificationService,
  NotificationTypeSchema,
} from "#gen/certctl/v1/notifications_pb.ts";
import { enumWords } from "../../../../src/rest/json.ts";
import { sentence, valuesOfWords } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { FacetMenu, FilterBar, FilterText } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { useSelection } from "../../ui/selection.ts";
import { Time } from "../../ui/time.tsx";
import { countText } from "../../ui/time-text.ts";
import { ViewTabs } from "../../ui/view-tabs.tsx";
import { choice, count, text, list as words } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { useGroupActions } from "./group-actions.ts";
import { DeliveryStates, GroupBadge, GroupName } from "./group-cells.tsx";
import { GroupSheet } from "./group-sheet.tsx";
import { useInboxShortcuts } from "./inbox-shortcuts.ts";
import { SnoozeMenu } from "./snooze-menu.tsx";

const perPage = 50;
const states = ["open", "snoozed", "acknowledged", "resolved"] as const;
const parameters = {
  state: choice(states, "open"),
  q: text(),
  type: words,
  group: text(),
  sort: text("-newest_at"),
  page: count(1),
};
const types = enumWords(NotificationTypeSchema).map((value) => ({ value, label: sentence(value) }));

/** What people were told: one row a problem, the newest on top. */
export function InboxPage() {
  const [values, set] = useParameters(parameters);
  const selection = useSelection();
  const { q, sort, page, state } = values;
  const list = useQuery(
    NotificationService.method.listNotificationGroups,
    {
      q,
      sort,
      page,
      perPage,
      state: valuesOfWords(NotificationGroupStateSchema, [state]),
      type: valuesOfWords(NotificationTypeSchema, values.type),
    },
    { placeholderData: keepPreviousData },
  );
  const groups = list.data?.data ?? [];
  const actions = useGroupActions(selection);
  useInboxShortcuts(selection, actions);
  const search = useCallback((typed: string) => set({ q: typed, page: 1 }, { replace: true }), [set]);
  const columns = useMemo(() => groupColumns((group) => set({ group })), [set]);
  const chosen = groups.find(({ id }) => id === values.group);
  const byState = list.data?.byState ?? {};
  const isFiltered = q !== "" || values.type.length > 0;
  return (
    <Page isWide>
      <PageHeader title="Inbox" count={byState["open"] ?? (list.data ? 0 : undefined)} />
      <ViewTabs
        label="Views of the inbox"
        parameter="state"
        current={state}
        tabs={states.map((value) => ({
          value,
          label: sentence(value.charAt(0).toUpperCase() + value.slice(1)),
          count: byState[value] ?? 0,
        }))}
      />
      {selection.keys.size > 0 ? (
        <div className="flex min-h-8 flex-wrap items-center gap-2">
          <span className="font-medium">{countText(selection.keys.size, "problem")} chosen</span>
          <Button
            icon={Check}
            isPending={actions.isPending}
            disabledReason={actions.reason}
            onClick={() => actions.acknowledge([...selection.keys], state === "acknowledged")}
          >
            {state === "acknowledged" ? "Reopen" : "Acknowledge"} {countText(selection.keys.size, "problem")}
          </Button>
          <SnoozeMenu
            reason={actions.reason}
            isSnoozed={state === "snoozed"}
            onSnooze={(until) => actions.snooze([...selection.keys], until)}
          />
          <Button kind="quiet" onClick={selection.clear}>
            Clear
          </Button>
        </div>
      ) : (
        <FilterBar>
          <FilterText value={q} onChange={search} placeholder="Filter by subject" />
          <FacetMenu
            label="About"
            values={types}
            chosen={values.type}
            onChange={(type) => set({ type, page: 1 })}
          />
          <span className="hidden text-fg2 text-sm sm:inline">e acknowledges, s snoozes for a day</span>
        </FilterBar>
      )}
      <ListBody
        label="Inbox"
        what="the inbox"
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        summary={(group) => (
          <>
            <GroupBadge group={group} />
            <Time at={group.newest?.createdAt} />
          </>
        )}
        selection={selection}
        sort={sort}
        onSort={(next) => set({ sort: next, page: 1 })}
        page={JSON.stringify({ ...values, group: "" })}
        pages={{ at: page, per: perPage, onChange: (next) => set({ page: next }) }}
        empty={<Empty state={state} isFiltered={isFiltered} />}
      />
      {chosen && <GroupSheet group={chosen} actions={actions} onClose={() => set({ group: "" })} />}
    </Page>
  );
}

function Empty({ state, isFiltered }: { state: (typeof states)[number]; isFiltered: boolean }) {
  if (isFiltered) return <EmptyState icon={InboxIcon} title="Nothing matches these filters" />;
  if (state === "open")
    return (
      <EmptyState icon={InboxIcon} title="Nothing needs you">
        Expiry alerts, failures, agents that are away and violations of policies show here.
      </EmptyState>
    );
  return <EmptyState icon={state === "snoozed" ? Clock : BellOff} title={`Nothing is ${state}`} />;
}

function groupColumns(onOpen: (id: string) => void): Column<NotificationGroup>[] {
  return [
    { key: "subject", header: "Problem", cell: (group) => <GroupName group={group} onOpen={onOpen} /> },
    { key: "state", header: "Severity", sort: "severity", cell: (group) => <GroupBadge group={group} /> },
    { key: "deliveries", header: "Told", cell: (group) => <DeliveryStates group={group} /> },
    {
      key: "newest",
      header: "Newest",
      sort: "newest_at",
      cell: ({ newest }) => <Time at={newest?.createdAt} />,
    },
    {
      key: "until",
      header: "Until",
      from: "lg",
      cell: ({ snoozedUntil, acknowledgedBy }) =>
        snoozedUntil ? (
          <Time at={snoozedUntil} />
        ) : acknowledgedBy ? (
          `acknowledged by ${acknowledgedBy}`
        ) : (
          "–"
        ),
    },
  ];
}
