import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus, Target as TargetIcon } from "lucide-react";
import { useCallback, useMemo } from "react";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { type Target, TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Checkbox, Select } from "../../ui/field.tsx";
import { FilterBar, FilterText } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { count, flag, text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { TargetForm } from "./target-form.tsx";

const perPage = 50;
const parameters = {
  q: text(),
  kind: text(),
  agent: text(),
  archived: flag,
  sort: text("name"),
  page: count(1),
  /** The form for a new one is open. */
  new: flag,
};

/** The places that certificates go to. */
export function TargetsPage() {
  const [values, set] = useParameters(parameters);
  const write = usePermission("targets:write");
  const agents = useQuery(AgentService.method.listAgents, { perPage: 500, sort: "name" }).data?.data;
  const kinds = useQuery(TargetService.method.listTargetKinds, {}).data?.data ?? [];
  const { agent: agentId, ...filter } = values;
  const list = useQuery(
    TargetService.method.listTargets,
    { ...filter, agentId, perPage },
    { placeholderData: keepPreviousData },
  );
  const search = useCallback((q: string) => set({ q, page: 1 }, { replace: true }), [set]);
  const columns = useMemo(() => targetColumns(new Map(agents?.map(({ id, name }) => [id, name]))), [agents]);
  const isFiltered = values.q !== "" || values.kind !== "" || agentId !== "" || values.archived;
  const create = (
    <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => set({ new: true })}>
      Create a target
    </Button>
  );
  return (
    <Page isWide>
      <PageHeader title="Targets" count={list.data?.total}>
        {create}
      </PageHeader>
      <FilterBar>
        <FilterText value={values.q} onChange={search} placeholder="Filter by name" />
        <Select
          aria-label="Kind"
          className="!w-auto"
          value={values.kind}
          onChange={(event) => set({ kind: event.target.value, page: 1 })}
        >
          <option value="">Every kind</option>
          {kinds.map(({ kind, title }) => (
            <option key={kind} value={kind}>
              {title}
            </option>
          ))}
        </Select>
        <Select
          aria-label="Agent"
          className="!w-auto max-w-60"
          value={agentId}
          onChange={(event) => set({ agent: event.target.value, page: 1 })}
        >
          <option value="">Every agent</option>
          {agents?.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
        <Checkbox
          label="Archived"
          checked={values.archived}
          onChange={(event) => set({ archived: event.target.checked, page: 1 })}
        />
      </FilterBar>
      <ListBody
        label="Targets"
        what="the targets"
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        summary={({ kind, config }) => `${kind} ${entryOf(config)}`}
        sort={values.sort}
        onSort={(sort) => set({ sort, page: 1 })}
        page={JSON.stringify(values)}
        pages={{ at: values.page, per: perPage, onChange: (page) => set({ page }) }}
        empty={
          isFiltered ? (
            <EmptyState icon={TargetIcon} title="No target matches these filters" />
          ) : (
            <EmptyState icon={TargetIcon} title="No targets yet" actions={create}>
              A target is an entry in an agent's agent.yaml: a directory, commands and an endpoint that its
              host's owner allows.
            </EmptyState>
          )
        }
      />
      {values.new && <TargetForm onClose={() => set({ new: false }, { replace: true })} />}
    </Page>
  );
}

function targetColumns(agents: ReadonlyMap<string, string>): Column<Target>[] {
  return [
    {
      key: "name",
      header: "Name",
      sort: "name",
      cell: ({ id, name }) => (
        <Link to="/targets/$id" params={{ id }} className="block truncate hover:text-accent">
          {name}
        </Link>
      ),
    },
    { key: "kind", header: "Kind", cell: ({ kind }) => kind },
    {
      key: "entry",
      header: "Entry",
      cell: ({ config }) => <span className="font-mono text-sm">{entryOf(config)}</span>,
    },
    {
      key: "agent",
      header: "Agent",
      cell: ({ agentId }) => (
        <Link to="/agents/$id" params={{ id: agentId }} className="hover:text-accent">
          {agents.get(agentId) ?? agentId}
        </Link>
      ),
    },
    {
      key: "updated",
      header: "Changed",
      from: "md",
      cell: ({ updatedAt }) => <Time at={updatedAt} />,
    },
  ];
}

function entryOf(config: Target["config"]): string {
  const entry = config?.["entry"];
  return typeof entry === "string" ? entry : "";
}
