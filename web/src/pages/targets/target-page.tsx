import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Archive, ArchiveRestore, Ellipsis, Pencil, PlugZap, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { type Target, TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { AgentBadge } from "../../status/agent-status.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { CopyText } from "../../ui/copy.tsx";
import { EmptyState, Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard, ErrorNote } from "../../ui/error-card.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { JobsTable } from "../jobs/jobs-table.tsx";
import { Checks } from "./checks.tsx";
import { ServedPanel } from "./served-panel.tsx";
import { TargetForm } from "./target-form.tsx";

const parent = { to: "/targets", label: "Targets" };

/** One target: what it serves against what it is to serve, and what was done there. */
export function TargetPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const read = useQuery(TargetService.method.getTarget, { id });
  const jobs = useQuery(JobService.method.listJobs, { targetId: id, perPage: 10 });
  const test = useMutation(TargetService.method.testTarget);
  const { reason } = usePermission("targets:write");
  return (
    <ObjectPage id={id} what="target" parent={parent} value={read.data?.target} query={read}>
      {(target) => (
        <>
          <PageHeader title={target.name} parent={parent}>
            <Button
              icon={PlugZap}
              isPending={test.isPending}
              disabledReason={reason ?? (target.archivedAt ? "It is archived" : undefined)}
              onClick={() => test.mutate({ id })}
            >
              Test connection
            </Button>
            <TargetActions target={target} />
          </PageHeader>
          {test.error && <ErrorNote error={test.error} />}
          {test.data && <Checks result={test.data} />}
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
            <div className="flex min-w-0 flex-col gap-4">
              <Certificates id={id} />
              <Panel title="Jobs" isFlush>
                <JobsTable label="Jobs" list={jobs} none="Nothing was done here yet." without={["target"]} />
              </Panel>
            </div>
            <TargetFacts target={target} />
          </div>
        </>
      )}
    </ObjectPage>
  );
}

function Certificates({ id }: { id: string }) {
  const list = useQuery(CertificateService.method.listCertificates, { targetId: id, perPage: 50 });
  if (list.error && !list.data)
    return <ErrorCard error={list.error} what="the certificates" onRetry={() => void list.refetch()} />;
  if (!list.data)
    return (
      <Panel title="Served against expected">
        <Skeleton />
      </Panel>
    );
  if (list.data.data.length === 0)
    return (
      <Panel title="Served against expected">
        <EmptyState icon={ShieldCheck} title="No certificate is deployed here">
          Add this target to a certificate by its Edit.
        </EmptyState>
      </Panel>
    );
  return list.data.data.map((certificate) => (
    <ServedPanel key={certificate.id} certificate={certificate} targetId={id} />
  ));
}

function TargetFacts({ target }: { target: Target }) {
  const agent = useQuery(AgentService.method.getAgent, { id: target.agentId }).data?.agent;
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          ["Kind", target.kind],
          ...Object.entries(target.config ?? {}).map(
            ([name, value]) =>
              [
                name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " "),
                <span key={name} className="break-all font-mono text-sm">
                  {typeof value === "string" ? value : JSON.stringify(value)}
                </span>,
              ] as const,
          ),
          [
            "Agent",
            <span key="agent" className="flex flex-wrap items-center gap-2">
              <Link to="/agents/$id" params={{ id: target.agentId }} className="hover:text-accent">
                {agent?.name ?? target.agentId}
              </Link>
              {agent && <AgentBadge status={agent.status} />}
            </span>,
          ],
          ["Id", <CopyText key="id" text={target.id} />],
          ["Created", <Time key="created" at={target.createdAt} isExact />],
          ["Changed", <Time key="updated" at={target.updatedAt} isExact />],
          target.archivedAt && ["Archived", <Time key="archived" at={target.archivedAt} isExact />],
        ]}
      />
    </Panel>
  );
}

function TargetActions({ target }: { target: Target }) {
  const [layer, setLayer] = useState<"edit" | "archive">();
  const { reason } = usePermission("targets:write");
  const queries = useQueryClient();
  const certificates = useQuery(CertificateService.method.listCertificates, {
    targetId: target.id,
    perPage: 1,
  });
  const archive = useMutation(TargetService.method.deleteTarget);
  const restore = useMutation(TargetService.method.restoreTarget, {
    onSuccess: () => refresh(queries, TargetService),
    onError: (error) => toast(messageOf(error)),
  });
  const inUse = certificates.data?.total ?? 0;
  return (
    <>
      <Menu trigger={<IconButton icon={Ellipsis} label="More actions" kind="default" />}>
        {target.archivedAt ? (
          <MenuItem
            icon={ArchiveRestore}
            disabledReason={reason}
            onSelect={() => restore.mutate({ id: target.id })}
          >
            Restore
          </MenuItem>
        ) : (
          <MenuItem
            icon={Archive}
            isDangerous
            disabledReason={
              reason ??
              (inUse > 0
                ? `${countText(inUse, "certificate")} deployed to it; take it from them first`
                : undefined)
            }
            onSelect={() => setLayer("archive")}
          >
            Archive…
          </MenuItem>
        )}
      </Menu>
      <Button
        icon={Pencil}
        disabledReason={reason ?? (target.archivedAt ? "Restore it first" : undefined)}
        onClick={() => setLayer("edit")}
      >
        Edit
      </Button>
      {layer === "edit" && <TargetForm target={target} onClose={() => setLayer(undefined)} />}
      {layer === "archive" && (
        <Confirm
          title={`Archive ${target.name}`}
          action="Archive 1 target"
          isDangerous
          onClose={() => setLayer(undefined)}
          onConfirm={async () => {
            await archive.mutateAsync({ id: target.id });
            await refresh(queries, TargetService, AgentService);
          }}
        >
          <p>
            Nothing is deployed to it any more. What its host serves stays as it is, and it can be restored.
          </p>
        </Confirm>
      )}
    </>
  );
}
