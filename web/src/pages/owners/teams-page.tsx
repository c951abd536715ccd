import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus, UsersRound } from "lucide-react";
import { useCallback, useState } from "react";
import { type Team, TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Checkbox } from "../../ui/field.tsx";
import { FilterBar, FilterText } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { countText, numberText } from "../../ui/time-text.ts";
import { count, flag, text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { OwnerTabs } from "./owner-tabs.tsx";
import { TeamForm } from "./team-form.tsx";

const perPage = 50;
const parameters = { q: text(), archived: flag, sort: text("name"), page: count(1) };

const columns: Column<Team>[] = [
  {
    key: "name",
    header: "Name",
    sort: "name",
    cell: ({ id, name }) => (
      <Link to="/teams/$id" params={{ id }} className="block truncate hover:text-accent">
        {name}
      </Link>
    ),
  },
  {
    key: "description",
    header: "Description",
    from: "lg",
    cell: ({ description }) => <span className="block max-w-96 truncate">{description || "–"}</span>,
  },
  { key: "email", header: "E-mail", from: "md", cell: ({ email }) => email || "–" },
  {
    key: "owners",
    header: "Owners",
    isRight: true,
    cell: ({ id, ownerCount }) => (
      <Link to="/owners" search={{ team: id } as never} className="hover:text-accent">
        {numberText(ownerCount)}
      </Link>
    ),
  },
  {
    key: "certificates",
    header: "Certificates",
    isRight: true,
    cell: ({ id, certificateCount }) => (
      <Link to="/certificates" search={{ team: id } as never} className="hover:text-accent">
        {numberText(certificateCount)}
      </Link>
    ),
  },
];

/** The teams that certificates belong to. */
export function TeamsPage() {
  const [values, set] = useParameters(parameters);
  const [isCreating, setCreating] = useState(false);
  const write = usePermission("teams:write");
  const list = useQuery(
    TeamService.method.listTeams,
    { ...values, perPage },
    { placeholderData: keepPreviousData },
  );
  const search = useCallback((q: string) => set({ q, page: 1 }, { replace: true }), [set]);
  const create = (
    <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => setCreating(true)}>
      Create a team
    </Button>
  );
  const isFiltered = values.q !== "" || values.archived;
  return (
    <Page isWide>
      <PageHeader title="Teams" count={list.data?.total}>
        {create}
      </PageHeader>
      <OwnerTabs />
      <FilterBar>
        <FilterText value={values.q} onChange={search} placeholder="Filter by name" />
        <Checkbox
          label="Archived"
          checked={values.archived}
          onChange={(event) => set({ archived: event.target.checked, page: 1 })}
        />
      </FilterBar>
      <ListBody
        list={list}
        what="the teams"
        label="Teams"
        columns={columns}
        keyOf={({ id }) => id}
        summary={({ ownerCount, certificateCount }) => (
          <>
            {countText(ownerCount, "owner")}, {countText(certificateCount, "certificate")}
          </>
        )}
        sort={values.sort}
        onSort={(sort) => set({ sort, page: 1 })}
        page={JSON.stringify(values)}
        pages={{ at: values.page, per: perPage, onChange: (page) => set({ page }) }}
        empty={
          <EmptyState
            icon={UsersRound}
            title={isFiltered ? "No team matches these filters" : "No teams yet"}
            actions={isFiltered ? undefined : create}
          >
            {!isFiltered && "Certificates belong to teams, and keys can be restricted to them."}
          </EmptyState>
        }
      />
      {isCreating && <TeamForm onClose={() => setCreating(false)} />}
    </Page>
  );
}
