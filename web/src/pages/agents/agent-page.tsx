import { useQuery } from "@connectrpc/connect-query";
import { Link, useParams } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { type Agent, AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { JobService, JobStatus } from "#gen/certctl/v1/jobs_pb.ts";
import { AgentBadge } from "../../status/agent-status.tsx";
import { CopyText } from "../../ui/copy.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";
import { JobsTable } from "../jobs/jobs-table.tsx";
import { AgentActions } from "./agent-actions.tsx";
import { EntriesPanel } from "./entries-panel.tsx";

const parent = { to: "/agents", label: "Agents" };
const open = [JobStatus.PENDING, JobStatus.AWAITING_CSR, JobStatus.RUNNING];

/** One agent: how it is, what it is allowed to do on its host, and what it has to do. */
export function AgentPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const read = useQuery(AgentService.method.getAgent, { id });
  const queue = useQuery(JobService.method.listJobs, { agentId: id, status: open, perPage: 20 });
  const failed = useQuery(JobService.method.listJobs, {
    agentId: id,
    status: [JobStatus.FAILED],
    perPage: 5,
    sort: "-completed_at",
  });
  return (
    <ObjectPage id={id} what="agent" parent={parent} value={read.data?.agent} query={read}>
      {(agent) => (
        <>
          <PageHeader title={agent.name} parent={parent} badge={<AgentBadge status={agent.status} />}>
            <AgentActions agent={agent} />
          </PageHeader>
          {agent.problems.map((problem) => (
            <p key={problem} role="alert" className="tone-warn tone-tint rounded-control px-3 py-2">
              <TriangleAlert aria-hidden size={14} className="tone-text mr-2 inline" />
              {problem}
            </p>
          ))}
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
            <div className="flex min-w-0 flex-col gap-4">
              <EntriesPanel agent={agent} />
              <Panel title="Queue" note={queue.data && numberText(queue.data.total)} isFlush>
                <JobsTable
                  label="Jobs that wait or are at work"
                  list={queue}
                  none="Nothing waits for this agent."
                  without={["agent"]}
                />
              </Panel>
              {(failed.data?.total ?? 0) > 0 && (
                <Panel title="Failed last" isFlush>
                  <JobsTable label="Jobs that failed" list={failed} none="" without={["agent"]} />
                </Panel>
              )}
            </div>
            <AgentFacts agent={agent} />
          </div>
        </>
      )}
    </ObjectPage>
  );
}

function AgentFacts({ agent }: { agent: Agent }) {
  const { id, targetCount, certificateCount } = agent;
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          ["Host", agent.hostname || "not known yet"],
          ["Version", agent.version || "not known yet"],
          ["Heartbeat", <Time key="heartbeat" at={agent.lastHeartbeatAt} />],
          agent.offlineAt && ["Offline since", <Time key="offline" at={agent.offlineAt} />],
          [
            "Identity",
            agent.identityExpiresAt ? (
              <>
                ends <Time at={agent.identityExpiresAt} />, renewed by itself
              </>
            ) : (
              "by an API key"
            ),
          ],
          [
            "Targets",
            <Link key="targets" to="/targets" search={{ agent: id } as never} className="hover:text-accent">
              {numberText(targetCount)}
            </Link>,
          ],
          [
            "Certificates",
            <Link
              key="certs"
              to="/certificates"
              search={{ agent: id } as never}
              className="hover:text-accent"
            >
              {numberText(certificateCount)}
            </Link>,
          ],
          ["Id", <CopyText key="id" text={id} />],
          ["Created", <Time key="created" at={agent.createdAt} isExact />],
          agent.retiredAt && ["Retired", <Time key="retired" at={agent.retiredAt} isExact />],
        ]}
      />
      {agent.capabilities.length > 0 && (
        <details className="mt-3">
          <summary className="cursor-pointer rounded-control text-fg1">
            {agent.capabilities.length} capabilities
          </summary>
          <ul className="mt-1 font-mono text-fg1 text-sm">
            {agent.capabilities.map((capability) => (
              <li key={capability}>{capability}</li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}
