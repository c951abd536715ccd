import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Team, TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { Field, Input, Textarea } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";

/** Creates a team, or changes one. */
export function TeamForm({ team, onClose }: { team?: Team; onClose(): void }) {
  const [name, setName] = useState(team?.name ?? "");
  const [description, setDescription] = useState(team?.description ?? "");
  const [email, setEmail] = useState(team?.email ?? "");
  const queries = useQueryClient();
  const create = useMutation(TeamService.method.createTeam);
  const update = useMutation(TeamService.method.updateTeam);
  const error = create.error ?? update.error;
  const submit = async () => {
    const wanted = { name, description, email };
    if (team) await update.mutateAsync({ id: team.id, ...wanted });
    else await create.mutateAsync(wanted);
    await refresh(queries, TeamService);
    toast(team ? `${name} is changed` : `${name} is created`);
    onClose();
  };
  return (
    <FormDialog
      title={team ? `Edit ${team.name}` : "Create a team"}
      action={team ? "Save" : "Create team"}
      onClose={onClose}
      onSubmit={submit}
      error={error}
      isPending={create.isPending || update.isPending}
    >
      <Field label="Name" error={wrongWith(error, "name")}>
        {(ids) => <Input {...ids} required value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="Description" isOptional error={wrongWith(error, "description")}>
        {(ids) => (
          <Textarea {...ids} value={description} onChange={(event) => setDescription(event.target.value)} />
        )}
      </Field>
      <Field
        label="E-mail"
        hint="Told about certificates that have no owner"
        isOptional
        error={wrongWith(error, "email")}
      >
        {(ids) => (
          <Input {...ids} type="email" value={email} onChange={(event) => setEmail(event.target.value)} />
        )}
      </Field>
    </FormDialog>
  );
}
