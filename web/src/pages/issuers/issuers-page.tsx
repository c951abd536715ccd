import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus, Stamp } from "lucide-react";
import { useCallback, useMemo } from "react";
import { type Issuer, IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
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
import { numberText } from "../../ui/time-text.ts";
import { count, flag, text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { IssuerForm } from "./issuer-form.tsx";

const perPage = 50;
const parameters = { q: text(), archived: flag, sort: text("name"), page: count(1), new: flag };

const columnsWith = (titles: ReadonlyMap<string, string>): Column<Issuer>[] => [
  {
    key: "name",
    header: "Name",
    sort: "name",
    cell: ({ id, name }) => (
      <Link to="/issuers/$id" params={{ id }} className="block truncate hover:text-accent">
        {name}
      </Link>
    ),
  },
  { key: "kind", header: "Kind", sort: "kind", cell: ({ kind }) => titles.get(kind) ?? kind },
  { key: "state", header: "State", cell: (issuer) => <EnabledState {...issuer} /> },
  {
    key: "certificates",
    header: "Certificates",
    isRight: true,
    cell: ({ id, certificateCount }) => (
      <Link to="/certificates" search={{ issuer: id } as never} className="hover:text-accent">
        {numberText(certificateCount)}
      </Link>
    ),
  },
  { key: "updated", header: "Changed", from: "md", cell: ({ updatedAt }) => <Time at={updatedAt} /> },
];

/** The CAs that sign. */
export function IssuersPage() {
  const [values, set] = useParameters(parameters);
  const write = usePermission("issuers:write");
  const list = useQuery(
    IssuerService.method.listIssuers,
    { ...values, perPage },
    { placeholderData: keepPreviousData },
  );
  const kinds = useQuery(IssuerService.method.listIssuerKinds, {}).data?.data;
  const columns = useMemo(
    () => columnsWith(new Map(kinds?.map(({ kind, title }) => [kind, title]))),
    [kinds],
  );
  const search = useCallback((q: string) => set({ q, page: 1 }, { replace: true }), [set]);
  const total = list.data?.total ?? 0;
  const isFiltered = values.q !== "" || values.archived;
  return (
    <Page isWide>
      <PageHeader title="Issuers" count={list.data && total}>
        <Link to="/authorities" className="px-2 text-fg1 hover:text-accent">
          Authorities
        </Link>
        <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => set({ new: true })}>
          Create an issuer
        </Button>
      </PageHeader>
      <FilterBar>
        <FilterText value={values.q} onChange={search} placeholder="Filter by name" />
        <Checkbox
          label="Archived"
          checked={values.archived}
          onChange={(event) => set({ archived: event.target.checked, page: 1 })}
        />
      </FilterBar>
      {list.error && !list.data ? (
        <ErrorCard error={list.error} what="the issuers" onRetry={() => void list.refetch()} />
      ) : (
        <DataTable
          label="Issuers"
          rows={list.data?.data ?? []}
          columns={columns}
          keyOf={({ id }) => id}
          summary={(issuer) => <EnabledState {...issuer} />}
          sort={values.sort}
          onSort={(sort) => set({ sort, page: 1 })}
          page={JSON.stringify(values)}
          isLoading={list.isPending}
          isStale={list.isPlaceholderData}
          empty={
            <EmptyState
              icon={Stamp}
              title={isFiltered ? "No issuer matches these filters" : "No issuers yet"}
            >
              {!isFiltered && "The built-in CA is created with the first start; others are created here."}
            </EmptyState>
          }
        />
      )}
      {total > perPage && (
        <Pager page={values.page} perPage={perPage} total={total} onPage={(page) => set({ page })} />
      )}
      {values.new && <IssuerForm onClose={() => set({ new: false }, { replace: true })} />}
    </Page>
  );
}
