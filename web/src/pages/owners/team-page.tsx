import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Plus, Users } from "lucide-react";
import { useState } from "react";
import { type Owner, OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { type Team, TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { CopyText } from "../../ui/copy.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText, numberText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { ArchiveActions } from "./archive-actions.tsx";
import { OwnedCertificates } from "./owned-certificates.tsx";
import { OwnerForm } from "./owner-form.tsx";
import { TeamForm } from "./team-form.tsx";

const parent = { to: "/owners/teams", label: "Teams" };

/** One team, its owners, and what belongs to it. */
export function TeamPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const read = useQuery(TeamService.method.getTeam, { id });
  return (
    <ObjectPage id={id} what="team" parent={parent} value={read.data?.team} query={read}>
      {(team) => (
        <>
          <PageHeader title={team.name} parent={parent}>
            <Actions team={team} />
          </PageHeader>
          {team.description && <p className="max-w-[72ch] text-fg1">{team.description}</p>}
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
            <div className="flex min-w-0 flex-col gap-4">
              <OwnedCertificates kind="team" id={team.id} name={team.name} />
              <TeamOwners team={team} />
            </div>
            <Panel title="Facts">
              <Facts
                facts={[
                  ["E-mail", team.email ? <CopyText key="email" text={team.email} /> : "–"],
                  ["Id", <CopyText key="id" text={team.id} />],
                  ["Created", <Time key="created" at={team.createdAt} isExact />],
                  ["Changed", <Time key="updated" at={team.updatedAt} isExact />],
                  team.archivedAt && ["Archived", <Time key="archived" at={team.archivedAt} isExact />],
                ]}
              />
            </Panel>
          </div>
        </>
      )}
    </ObjectPage>
  );
}

function Actions({ team }: { team: Team }) {
  const { id, name, ownerCount, certificateCount } = team;
  const [isEditing, setEditing] = useState(false);
  const { reason } = usePermission("teams:write");
  const queries = useQueryClient();
  const archive = useMutation(TeamService.method.deleteTeam);
  const restore = useMutation(TeamService.method.restoreTeam, {
    onSuccess: () => refresh(queries, TeamService),
    onError: (error) => toast(messageOf(error)),
  });
  const used = `Has ${countText(ownerCount, "owner")} and ${countText(certificateCount, "certificate")}`;
  return (
    <>
      <ArchiveActions
        name={name}
        what="team"
        isArchived={team.archivedAt !== undefined}
        reason={reason}
        used={ownerCount + certificateCount > 0 ? used : undefined}
        onEdit={() => setEditing(true)}
        onRestore={() => restore.mutate({ id })}
        onArchive={async () => {
          await archive.mutateAsync({ id });
          await refresh(queries, TeamService);
        }}
      />
      {isEditing && <TeamForm team={team} onClose={() => setEditing(false)} />}
    </>
  );
}

const columns: Column<Owner>[] = [
  {
    key: "name",
    header: "Name",
    cell: ({ id, name }) => (
      <Link to="/owners/$id" params={{ id }} className="block truncate hover:text-accent">
        {name}
      </Link>
    ),
  },
  { key: "email", header: "E-mail", cell: ({ email }) => email },
  {
    key: "certificates",
    header: "Certificates",
    isRight: true,
    cell: ({ certificateCount }) => numberText(certificateCount),
  },
];

function TeamOwners({ team }: { team: Team }) {
  const [isCreating, setCreating] = useState(false);
  const { reason } = usePermission("owners:write");
  const list = useQuery(OwnerService.method.listOwners, { teamId: team.id, sort: "name", perPage: 100 });
  return (
    <Panel
      title="Owners"
      note={numberText(team.ownerCount)}
      isFlush
      actions={
        <Button isSmall icon={Plus} disabledReason={reason} onClick={() => setCreating(true)}>
          Create an owner
        </Button>
      }
    >
      <div className="px-2 pb-2">
        <ListBody
          list={list}
          what="the owners"
          label="Owners of the team"
          columns={columns}
          keyOf={({ id }) => id}
          summary={({ email }) => email}
          empty={<EmptyState icon={Users} title="Nobody is in this team yet" />}
        />
      </div>
      {isCreating && <OwnerForm teamId={team.id} onClose={() => setCreating(false)} />}
    </Panel>
  );
}
