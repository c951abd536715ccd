import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Archive, ArchiveRestore, Ellipsis, KeyRound, Pencil } from "lucide-react";
import { useState } from "react";
import { type Agent, AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { usePermission } from "../../session/session.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { toast } from "../../ui/toast.tsx";
import { EnrolDialog } from "./enrol-dialog.tsx";
import { RetireDialog } from "./retire-dialog.tsx";

/** What can be done with an agent. */
export function AgentActions({ agent }: { agent: Agent }) {
  const [layer, setLayer] = useState<"rename" | "retire" | "enrol">();
  const { reason } = usePermission("agents:write");
  const queries = useQueryClient();
  const restore = useMutation(AgentService.method.restoreAgent, {
    onSuccess: async () => {
      toast(`${agent.name} is back; it needs a new token to join`);
      await refresh(queries, AgentService);
    },
    onError: (error) => toast(messageOf(error)),
  });
  const close = () => setLayer(undefined);
  return (
    <>
      <Button icon={Pencil} disabledReason={reason} onClick={() => setLayer("rename")}>
        Rename
      </Button>
      <Menu trigger={<IconButton icon={Ellipsis} label="More actions" kind="default" />}>
        <MenuItem
          icon={KeyRound}
          disabledReason={reason ?? (agent.retiredAt ? "Restore it first" : undefined)}
          onSelect={() => setLayer("enrol")}
        >
          Give it a new identity…
        </MenuItem>
        {agent.retiredAt ? (
          <MenuItem
            icon={ArchiveRestore}
            disabledReason={reason}
            onSelect={() => restore.mutate({ id: agent.id })}
          >
            Restore
          </MenuItem>
        ) : (
          <MenuItem icon={Archive} isDangerous disabledReason={reason} onSelect={() => setLayer("retire")}>
            Retire…
          </MenuItem>
        )}
      </Menu>
      {layer === "rename" && <Rename agent={agent} onClose={close} />}
      {layer === "retire" && <RetireDialog agent={agent} onClose={close} />}
      {layer === "enrol" && <EnrolDialog agent={agent} onClose={close} />}
    </>
  );
}

function Rename({ agent, onClose }: { agent: Agent; onClose(): void }) {
  const [name, setName] = useState(agent.name);
  const queries = useQueryClient();
  const update = useMutation(AgentService.method.updateAgent);
  return (
    <FormDialog
      title={`Rename ${agent.name}`}
      action="Save"
      onClose={onClose}
      error={update.error}
      isPending={update.isPending}
      onSubmit={async () => {
        await update.mutateAsync({ id: agent.id, name });
        await refresh(queries, AgentService);
        onClose();
      }}
    >
      <Field label="Name" error={wrongWith(update.error, "name")}>
        {(ids) => (
          <Input {...ids} required autoFocus value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
    </FormDialog>
  );
}
