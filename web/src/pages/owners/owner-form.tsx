import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Owner, OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { useNames } from "../../names/names.ts";
import { Field, Input, Select } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";

/** Creates an owner, or changes one. */
export function OwnerForm({ owner, teamId, onClose }: { owner?: Owner; teamId?: string; onClose(): void }) {
  const [name, setName] = useState(owner?.name ?? "");
  const [email, setEmail] = useState(owner?.email ?? "");
  const [team, setTeam] = useState(owner?.teamId ?? teamId ?? "");
  const teams = useNames().teams;
  const queries = useQueryClient();
  const create = useMutation(OwnerService.method.createOwner);
  const update = useMutation(OwnerService.method.updateOwner);
  const error = create.error ?? update.error;
  const submit = async () => {
    const wanted = { name, email, teamId: team };
    if (owner) await update.mutateAsync({ id: owner.id, ...wanted });
    else await create.mutateAsync(wanted);
    await refresh(queries, OwnerService, TeamService);
    toast(owner ? `${name} is changed` : `${name} is created`);
    onClose();
  };
  return (
    <FormDialog
      title={owner ? `Edit ${owner.name}` : "Create an owner"}
      action={owner ? "Save" : "Create owner"}
      onClose={onClose}
      onSubmit={submit}
      error={error}
      isPending={create.isPending || update.isPending}
    >
      <Field label="Name" error={wrongWith(error, "name")}>
        {(ids) => <Input {...ids} required value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="E-mail" hint="Where alerts about the certificates go" error={wrongWith(error, "email")}>
        {(ids) => (
          <Input
            {...ids}
            required
            type="email"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <Field label="Team" isOptional error={wrongWith(error, "team_id")}>
        {(ids) => (
          <Select {...ids} value={team} onChange={(event) => setTeam(event.target.value)}>
            <option value="">None</option>
            {Array.from(teams, ([id, each]) => (
              <option key={id} value={id}>
                {each}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </FormDialog>
  );
}
