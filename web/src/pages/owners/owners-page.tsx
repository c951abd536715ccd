import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus, Users } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { type Owner, OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { nameOf, useNames } from "../../names/names.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Checkbox } from "../../ui/field.tsx";
import { FacetMenu, FilterBar, FilterText } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { countText, numberText } from "../../ui/time-text.ts";
import { count, flag, text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { OwnerForm } from "./owner-form.tsx";
import { OwnerTabs } from "./owner-tabs.tsx";

const perPage = 50;
const parameters = { q: text(), team: text(), archived: flag, sort: text("name"), page: count(1) };

/** The people who answer for certificates. */
export function OwnersPage() {
  const [values, set] = useParameters(parameters);
  const [isCreating, setCreating] = useState(false);
  const write = usePermission("owners:write");
  const teams = useNames().teams;
  const { q, team, archived, sort, page } = values;
  const list = useQuery(
    OwnerService.method.listOwners,
    { q, teamId: team, archived, sort, page, perPage },
    { placeholderData: keepPreviousData },
  );
  const search = useCallback((typed: string) => set({ q: typed, page: 1 }, { replace: true }), [set]);
  const columns = useMemo(() => columnsFor(teams), [teams]);
  const create = (
    <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => setCreating(true)}>
      Create an owner
    </Button>
  );
  const isFiltered = q !== "" || team !== "" || archived;
  return (
    <Page isWide>
      <PageHeader title="Owners" count={list.data?.total}>
        {create}
      </PageHeader>
      <OwnerTabs />
      <FilterBar>
        <FilterText value={q} onChange={search} placeholder="Filter by name or address" />
        <FacetMenu
          label="Team"
          values={Array.from(teams, ([value, label]) => ({ value, label }))}
          chosen={team ? [team] : []}
          onChange={(chosen) => set({ team: chosen.at(-1) ?? "", page: 1 })}
        />
        <Checkbox
          label="Archived"
          checked={archived}
          onChange={(event) => set({ archived: event.target.checked, page: 1 })}
        />
      </FilterBar>
      <ListBody
        list={list}
        what="the owners"
        label="Owners"
        columns={columns}
        keyOf={({ id }) => id}
        summary={({ email, certificateCount }) => (
          <>
            <span className="truncate">{email}</span>
            {countText(certificateCount, "certificate")}
          </>
        )}
        sort={sort}
        onSort={(next) => set({ sort: next, page: 1 })}
        page={JSON.stringify(values)}
        pages={{ at: page, per: perPage, onChange: (next) => set({ page: next }) }}
        empty={
          <EmptyState
            icon={Users}
            title={isFiltered ? "No owner matches these filters" : "No owners yet"}
            actions={isFiltered ? undefined : create}
          >
            {!isFiltered &&
              "An owner answers for certificates, and is told when something is wrong with them."}
          </EmptyState>
        }
      />
      {isCreating && <OwnerForm onClose={() => setCreating(false)} />}
    </Page>
  );
}

function columnsFor(teams: ReadonlyMap<string, string>): Column<Owner>[] {
  return [
    {
      key: "name",
      header: "Name",
      sort: "name",
      cell: ({ id, name }) => (
        <Link to="/owners/$id" params={{ id }} className="block truncate hover:text-accent">
          {name}
        </Link>
      ),
    },
    { key: "email", header: "E-mail", sort: "email", cell: ({ email }) => email },
    {
      key: "team",
      header: "Team",
      cell: ({ teamId }) =>
        teamId ? (
          <Link to="/teams/$id" params={{ id: teamId }} className="hover:text-accent">
            {nameOf(teams, teamId)}
          </Link>
        ) : (
          "–"
        ),
    },
    {
      key: "certificates",
      header: "Certificates",
      isRight: true,
      cell: ({ id, certificateCount }) => (
        <Link to="/certificates" search={{ owner: id } as never} className="hover:text-accent">
          {numberText(certificateCount)}
        </Link>
      ),
    },
  ];
}
