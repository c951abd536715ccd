import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus, Server } from "lucide-react";
import { useCallback } from "react";
import { type Agent, AgentService, AgentStatusSchema } from "#gen/certctl/v1/agents_pb.ts";
import { enumWords } from "../../../../src/rest/json.ts";
import { usePermission } from "../../session/session.ts";
import { AgentBadge } from "../../status/agent-status.tsx";
import { sentence, valuesOfWords } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { FacetMenu, FilterBar, FilterText } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";
import { count, flag, text, list as words } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { EnrolDialog } from "./enrol-dialog.tsx";

const perPage = 50;
const parameters = { q: text(), status: words, sort: text("name"), page: count(1), new: flag };
const statuses = enumWords(AgentStatusSchema).map((word) => ({ value: word, label: sentence(word) }));

const columns: Column<Agent>[] = [
  {
    key: "name",
    header: "Name",
    sort: "name",
    cell: ({ id, name, problems }) => (
      <div className="min-w-0">
        <Link to="/agents/$id" params={{ id }} className="block truncate hover:text-accent">
          {name}
        </Link>
        {problems[0] && (
          <span className="block truncate font-normal text-fg2 text-sm" title={problems.join("\n")}>
            {problems[0]}
          </span>
        )}
      </div>
    ),
  },
  { key: "status", header: "Status", sort: "status", cell: ({ status }) => <AgentBadge status={status} /> },
  {
    key: "heartbeat",
    header: "Heartbeat",
    sort: "last_heartbeat_at",
    cell: ({ lastHeartbeatAt }) => <Time at={lastHeartbeatAt} />,
  },
  { key: "host", header: "Host", from: "md", cell: ({ hostname }) => hostname || "–" },
  { key: "version", header: "Version", from: "lg", cell: ({ version }) => version || "–" },
  {
    key: "targets",
    header: "Targets",
    isRight: true,
    cell: ({ id, targetCount }) => (
      <Link to="/targets" search={{ agent: id } as never} className="hover:text-accent">
        {numberText(targetCount)}
      </Link>
    ),
  },
  {
    key: "certificates",
    header: "Certificates",
    isRight: true,
    from: "md",
    cell: ({ id, certificateCount }) => (
      <Link to="/certificates" search={{ agent: id } as never} className="hover:text-accent">
        {numberText(certificateCount)}
      </Link>
    ),
  },
  {
    key: "queue",
    header: "Queue",
    isRight: true,
    from: "md",
    cell: ({ id, openJobCount }) => (
      <Link
        to="/jobs"
        search={{ agent: id, status: "Pending,AwaitingCSR,Running" } as never}
        className="hover:text-accent"
      >
        {numberText(openJobCount)}
      </Link>
    ),
  },
];

/** The processes beside the servers: who is there, who is not, and how another one joins. */
export function AgentsPage() {
  const [values, set] = useParameters(parameters);
  const write = usePermission("agents:write");
  const { q, sort, page } = values;
  const list = useQuery(
    AgentService.method.listAgents,
    { q, sort, page, perPage, status: valuesOfWords(AgentStatusSchema, values.status) },
    { placeholderData: keepPreviousData },
  );
  const search = useCallback((typed: string) => set({ q: typed, page: 1 }, { replace: true }), [set]);
  const isFiltered = q !== "" || values.status.length > 0;
  const enrol = (
    <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => set({ new: true })}>
      Enrol an agent
    </Button>
  );
  return (
    <Page isWide>
      <PageHeader title="Agents" count={list.data?.total}>
        {enrol}
      </PageHeader>
      <FilterBar>
        <FilterText value={q} onChange={search} placeholder="Filter by name or host" />
        <FacetMenu
          label="Status"
          values={statuses}
          chosen={values.status}
          onChange={(status) => set({ status, page: 1 })}
        />
        {isFiltered && (
          <Button kind="quiet" onClick={() => set({ q: "", status: [], page: 1 })}>
            Clear
          </Button>
        )}
      </FilterBar>
      <ListBody
        label="Agents"
        what="the agents"
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        summary={({ status, lastHeartbeatAt }) => (
          <>
            <AgentBadge status={status} />
            <Time at={lastHeartbeatAt} />
          </>
        )}
        sort={sort}
        onSort={(next) => set({ sort: next, page: 1 })}
        page={JSON.stringify(values)}
        pages={{ at: page, per: perPage, onChange: (next) => set({ page: next }) }}
        empty={
          isFiltered ? (
            <EmptyState icon={Server} title="No agent matches these filters" />
          ) : (
            <EmptyState icon={Server} title="No agents yet" actions={enrol}>
              An agent runs beside each server: it makes the keys, which never leave that machine, and puts
              certificates in place.
            </EmptyState>
          )
        }
      />
      {values.new && <EnrolDialog onClose={() => set({ new: false }, { replace: true })} />}
    </Page>
  );
}
