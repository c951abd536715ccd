import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { FileCog, Plus } from "lucide-react";
import { useState } from "react";
import type { Agent, AgentEntry } from "#gen/certctl/v1/agents_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Panel } from "../../ui/panel.tsx";
import { TargetForm } from "../targets/target-form.tsx";

/** The targets that the host's owner wrote into agent.yaml, and the way to use one. */
export function EntriesPanel({ agent }: { agent: Agent }) {
  const [chosen, setChosen] = useState<AgentEntry>();
  const write = usePermission("targets:write");
  const targets = useQuery(TargetService.method.listTargets, { agentId: agent.id, perPage: 500 }).data?.data;
  const names = new Map(targets?.map(({ id, name }) => [id, name]));
  const columns: Column<AgentEntry>[] = [
    { key: "name", header: "Entry", cell: ({ name }) => <span className="font-mono text-sm">{name}</span> },
    { key: "kind", header: "Kind", cell: ({ kind }) => kind },
    {
      key: "endpoint",
      header: "Proven at",
      cell: ({ endpoint }) => <span className="font-mono text-sm">{endpoint || "–"}</span>,
    },
    {
      key: "target",
      header: "Target",
      cell: (entry) =>
        entry.targetId ? (
          <Link to="/targets/$id" params={{ id: entry.targetId }} className="hover:text-accent">
            {names.get(entry.targetId) ?? entry.targetId}
          </Link>
        ) : (
          <Button isSmall icon={Plus} disabledReason={write.reason} onClick={() => setChosen(entry)}>
            Create target
          </Button>
        ),
    },
  ];
  return (
    <Panel title="agent.yaml" note="what its host's owner allows" isFlush>
      <div className="px-2 pb-2">
        <DataTable
          label="Entries of agent.yaml"
          rows={agent.entries}
          columns={columns}
          keyOf={({ name }) => name}
          summary={({ kind, endpoint }) => `${kind} at ${endpoint || "no endpoint"}`}
          empty={
            <EmptyState icon={FileCog} title="No targets in agent.yaml">
              The host's owner says there which directories, commands and endpoints certctl may use; each
              entry shows here within a minute.
            </EmptyState>
          }
        />
      </div>
      {chosen && (
        <TargetForm
          start={{ agentId: agent.id, kind: chosen.kind, name: chosen.name, config: { entry: chosen.name } }}
          onClose={() => setChosen(undefined)}
        />
      )}
    </Panel>
  );
}
