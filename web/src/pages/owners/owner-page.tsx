import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { type Owner, OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { nameOf, useNames } from "../../names/names.ts";
import { usePermission } from "../../session/session.ts";
import { CopyText } from "../../ui/copy.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { ArchiveActions } from "./archive-actions.tsx";
import { OwnedCertificates } from "./owned-certificates.tsx";
import { OwnerForm } from "./owner-form.tsx";

const parent = { to: "/owners", label: "Owners" };

/** One owner, and what he answers for. */
export function OwnerPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const read = useQuery(OwnerService.method.getOwner, { id });
  return (
    <ObjectPage id={id} what="owner" parent={parent} value={read.data?.owner} query={read}>
      {(owner) => (
        <>
          <PageHeader title={owner.name} parent={parent}>
            <Actions owner={owner} />
          </PageHeader>
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
            <OwnedCertificates kind="owner" id={owner.id} name={owner.name} />
            <OwnerFacts owner={owner} />
          </div>
        </>
      )}
    </ObjectPage>
  );
}

function Actions({ owner }: { owner: Owner }) {
  const { id, name, certificateCount: used } = owner;
  const [isEditing, setEditing] = useState(false);
  const { reason } = usePermission("owners:write");
  const queries = useQueryClient();
  const archive = useMutation(OwnerService.method.deleteOwner);
  const restore = useMutation(OwnerService.method.restoreOwner, {
    onSuccess: () => refresh(queries, OwnerService),
    onError: (error) => toast(messageOf(error)),
  });
  return (
    <>
      <ArchiveActions
        name={name}
        what="owner"
        isArchived={owner.archivedAt !== undefined}
        reason={reason}
        used={used > 0 ? `Answers for ${countText(used, "certificate")}` : undefined}
        onEdit={() => setEditing(true)}
        onRestore={() => restore.mutate({ id })}
        onArchive={async () => {
          await archive.mutateAsync({ id });
          await refresh(queries, OwnerService);
        }}
      />
      {isEditing && <OwnerForm owner={owner} onClose={() => setEditing(false)} />}
    </>
  );
}

function OwnerFacts({ owner }: { owner: Owner }) {
  const teams = useNames().teams;
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          ["E-mail", <CopyText key="email" text={owner.email} />],
          [
            "Team",
            owner.teamId ? (
              <Link key="team" to="/teams/$id" params={{ id: owner.teamId }} className="hover:text-accent">
                {nameOf(teams, owner.teamId)}
              </Link>
            ) : (
              "–"
            ),
          ],
          ["Id", <CopyText key="id" text={owner.id} />],
          ["Created", <Time key="created" at={owner.createdAt} isExact />],
          ["Changed", <Time key="updated" at={owner.updatedAt} isExact />],
          owner.archivedAt && ["Archived", <Time key="archived" at={owner.archivedAt} isExact />],
        ]}
      />
    </Panel>
  );
}
