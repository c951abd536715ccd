import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { Server } from "lucide-react";
import { type Agent, AgentService, AgentStatus } from "#gen/certctl/v1/agents_pb.ts";
import { AgentBadge } from "../../status/agent-status.tsx";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";

const down = [AgentStatus.OFFLINE, AgentStatus.DEGRADED];

const columns: Column<Agent>[] = [
  {
    key: "name",
    header: "Agent",
    cell: ({ id, name }) => (
      <Link to="/agents/$id" params={{ id }} className="block truncate hover:text-accent">
        {name}
      </Link>
    ),
  },
  { key: "state", header: "State", cell: (agent) => <AgentBadge status={agent.status} /> },
  {
    key: "certificates",
    header: "Certificates",
    isRight: true,
    from: "md",
    cell: ({ certificateCount }) => numberText(certificateCount),
  },
  { key: "seen", header: "Last seen", cell: ({ lastHeartbeatAt }) => <Time at={lastHeartbeatAt} /> },
];

/** Agents that do no work, or do it badly. */
export function AgentsDown() {
  const list = useQuery(AgentService.method.listAgents, { status: down, perPage: 6 });
  if (list.error && !list.data)
    return <ErrorCard error={list.error} what="the agents" onRetry={() => void list.refetch()} />;
  const total = list.data?.total ?? 0;
  return (
    <Panel
      title="Agents down"
      note={list.data && numberText(total)}
      isFlush
      actions={
        <Link to="/agents" className="text-accent hover:underline">
          All agents
        </Link>
      }
    >
      <div className="px-2 pb-2">
        <DataTable
          label="Agents down"
          rows={list.data?.data ?? []}
          columns={columns}
          keyOf={({ id }) => id}
          summary={(agent) => <AgentBadge status={agent.status} />}
          isLoading={list.isPending}
          empty={<EmptyState icon={Server} title="Every agent is online" />}
        />
      </div>
    </Panel>
  );
}
