import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Megaphone, Plus } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { type Notifier, NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { usePermission } from "../../session/session.ts";
import { EnabledState } from "../../status/enabled-state.tsx";
import { Button } from "../../ui/button.tsx";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Checkbox } from "../../ui/field.tsx";
import { FilterBar, FilterText } from "../../ui/filter-bar.tsx";
import { Pager } from "../../ui/pager.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { count, flag, text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { ChannelForm } from "./channel-form.tsx";
import { ChannelMenu } from "./channel-menu.tsx";
import { SettingsTabs } from "./settings-tabs.tsx";

const perPage = 50;
const parameters = { q: text(), archived: flag, sort: text("name"), page: count(1) };

/** By what people are told. */
export function ChannelsPage() {
  const [values, set] = useParameters(parameters);
  const [edited, setEdited] = useState<Notifier | "new">();
  const write = usePermission("notifiers:write");
  const channels = useQuery(
    NotifierService.method.listNotifiers,
    { ...values, perPage },
    { placeholderData: keepPreviousData },
  );
  const kinds = useQuery(NotifierService.method.listNotifierKinds).data?.data;
  const search = useCallback((q: string) => set({ q, page: 1 }, { replace: true }), [set]);
  const columns = useMemo(
    () => columnsOf(new Map(kinds?.map(({ kind, title }) => [kind, title])), setEdited),
    [kinds],
  );
  const total = channels.data?.total ?? 0;
  const isFiltered = values.q !== "" || values.archived;
  const create = (
    <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => setEdited("new")}>
      Add a channel
    </Button>
  );
  return (
    <Page isWide>
      <PageHeader title="Channels" count={channels.data && total}>
        {create}
      </PageHeader>
      <SettingsTabs />
      <FilterBar>
        <FilterText value={values.q} onChange={search} placeholder="Filter by name" />
        <Checkbox
          label="Archived"
          checked={values.archived}
          onChange={(event) => set({ archived: event.target.checked, page: 1 })}
        />
      </FilterBar>
      {channels.error && !channels.data ? (
        <ErrorCard error={channels.error} what="the channels" onRetry={() => void channels.refetch()} />
      ) : (
        <DataTable
          label="Channels"
          rows={channels.data?.data ?? []}
          columns={columns}
          keyOf={({ id }) => id}
          summary={(channel) => (
            <>
              <EnabledState {...channel} />
              <span>{channel.kind}</span>
              <ChannelMenu channel={channel} onEdit={setEdited} />
            </>
          )}
          sort={values.sort}
          onSort={(sort) => set({ sort, page: 1 })}
          page={JSON.stringify(values)}
          isLoading={channels.isPending}
          isStale={channels.isPlaceholderData}
          empty={
            <EmptyState
              icon={Megaphone}
              title={isFiltered ? "No channel matches" : "Nobody is told of anything yet"}
              actions={!isFiltered && create}
            >
              {!isFiltered &&
                "Add a mail server, a webhook, a chat or an on-call service; renewal policies say what each is told."}
            </EmptyState>
          }
        />
      )}
      {total > perPage && (
        <Pager page={values.page} perPage={perPage} total={total} onPage={(page) => set({ page })} />
      )}
      {edited && (
        <ChannelForm
          {...(edited === "new" ? {} : { channel: edited })}
          onClose={() => setEdited(undefined)}
        />
      )}
    </Page>
  );
}

function columnsOf(
  titles: ReadonlyMap<string, string>,
  onEdit: (channel: Notifier) => void,
): Column<Notifier>[] {
  return [
    {
      key: "name",
      header: "Name",
      sort: "name",
      cell: (channel) => (
        <button
          type="button"
          className="block max-w-full truncate text-left leading-6 hover:text-accent"
          onClick={() => onEdit(channel)}
        >
          {channel.name}
        </button>
      ),
    },
    { key: "kind", header: "Kind", sort: "kind", cell: ({ kind }) => titles.get(kind) ?? kind },
    { key: "state", header: "State", cell: (channel) => <EnabledState {...channel} /> },
    {
      key: "recipient",
      header: "Default recipient",
      from: "md",
      cell: ({ defaultRecipient }) => defaultRecipient || <span className="text-fg2">–</span>,
    },
    { key: "updated", header: "Changed", from: "md", cell: ({ updatedAt }) => <Time at={updatedAt} /> },
    {
      key: "menu",
      header: "Actions",
      isRight: true,
      cell: (channel) => <ChannelMenu channel={channel} onEdit={onEdit} />,
    },
  ];
}
