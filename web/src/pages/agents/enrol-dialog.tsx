import { useMutation, useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { Hourglass } from "lucide-react";
import { useState } from "react";
import { type Agent, AgentService, AgentStatus, type CreatedJoinToken } from "#gen/certctl/v1/agents_pb.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { AgentBadge } from "../../status/agent-status.tsx";
import { Button, buttonClass } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { Time } from "../../ui/time.tsx";

const lifetimes = [
  { seconds: 3_600, label: "1 hour" },
  { seconds: 86_400, label: "1 day" },
  { seconds: 604_800, label: "7 days" },
];

/** Has an agent join: a token, the one command that uses it, and the agent as soon as it is there. */
export function EnrolDialog({ agent, onClose }: { agent?: Agent; onClose(): void }) {
  const [name, setName] = useState("");
  const [ttlSeconds, setTtl] = useState(3_600);
  const create = useMutation(AgentService.method.createJoinToken);
  const id = agent?.id ?? idOf(name);
  const token = create.data?.joinToken;
  if (token) return <Waiting token={token} name={agent?.name ?? name} onClose={onClose} />;
  return (
    <FormDialog
      title={agent ? `Give ${agent.name} a new identity` : "Enrol an agent"}
      action="Create command"
      onClose={onClose}
      onSubmit={() => create.mutateAsync({ agentId: id, ttlSeconds })}
      error={create.error}
      isPending={create.isPending}
    >
      <p className="text-fg1">
        {agent
          ? "The agent joins again with a new key; what it was known by ends then."
          : "The agent makes its own key on its host; the command carries a token that is good for one agent, once."}
      </p>
      {!agent && (
        <Field
          label="Name"
          hint={id ? `It is known as ${id}` : "The host's name, for example"}
          error={wrongWith(create.error, "agent_id")}
        >
          {(ids) => (
            <Input
              {...ids}
              autoFocus
              required
              pattern=".*[A-Za-z0-9].*"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
      )}
      <Field label="The command is good for" error={wrongWith(create.error, "ttl_seconds")}>
        {(ids) => (
          <Select {...ids} value={ttlSeconds} onChange={(event) => setTtl(Number(event.target.value))}>
            {lifetimes.map(({ seconds, label }) => (
              <option key={seconds} value={seconds}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </FormDialog>
  );
}

/** An agent's id out of its name: "ag-web-1". */
function idOf(name: string): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
  return slug && `ag-${slug}`;
}

/** What is typed into a shell on the agent's host. */
function commandsOf({ join }: CreatedJoinToken, name: string) {
  const quoted = `'${name.replaceAll("'", String.raw`'\''`)}'`;
  const settings = `CERTCTL_AGENT_NAME=${quoted} CERTCTL_JOIN='${join}'`;
  // What stands behind sudo is an argument of it, for everybody to see.
  const asRoot = "sudo --preserve-env=CERTCTL_AGENT_NAME,CERTCTL_JOIN";
  return {
    once: `${settings} npm run agent`,
    service: `${settings} ${asRoot} cli/certctl agent install --now`,
  };
}

interface WaitingProps {
  token: CreatedJoinToken;
  name: string;
  onClose(): void;
}

function Waiting({ token, name, onClose }: WaitingProps) {
  const { agentId: id, createdAt } = token;
  const commands = commandsOf(token, name);
  // Refused until the agent has joined; the event stream says when to ask again.
  const { data } = useQuery(AgentService.method.getAgent, { id }, { retry: false });
  const agent = data?.agent;
  const isThere =
    agent !== undefined &&
    agent.status !== AgentStatus.OFFLINE &&
    (agent.lastHeartbeatAt?.seconds ?? 0n) >= (createdAt?.seconds ?? 0n);
  return (
    <Dialog
      title={isThere ? `${agent.name} is there` : "Run this on the agent's host"}
      shape="wide"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{isThere ? "Close" : "Close, and let it join later"}</Button>
          {isThere && (
            <Link to="/agents/$id" params={{ id }} className={buttonClass("primary")}>
              Show the agent
            </Link>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <p className="text-fg1">
          In certctl's directory on that host. The token is shown here once, works once, and ends{" "}
          <Time at={token.expiresAt} />.
        </p>
        <CodeBlock label="the command" text={commands.once} />
        <p className="text-fg1">Or, to have systemd run it from now on and at every boot:</p>
        <CodeBlock label="the command for a service" text={commands.service} />
        <div role="status" className="flex items-center gap-2 rounded-control border border-line1 px-3 py-2">
          {isThere ? (
            <>
              <AgentBadge status={agent.status} />
              <span>
                {agent.name} on {agent.hostname || "its host"}, version {agent.version || "unknown"}
              </span>
            </>
          ) : (
            <>
              <Hourglass aria-hidden size={14} className="text-fg2" />
              <span className="text-fg1">Waiting for the agent…</span>
            </>
          )}
        </div>
      </div>
    </Dialog>
  );
}
