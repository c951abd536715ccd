import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Issuer, IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { ConfigFields } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { useKindConfig } from "../../forms/kind-config.ts";
import { KindField, NameField } from "../../forms/kind-field.tsx";
import type { FormField } from "../../forms/schema.ts";
import { TestResult } from "../../forms/test-result.tsx";
import { Button } from "../../ui/button.tsx";
import { Checkbox } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";

/** Creates an issuer, or changes one. Its configuration is what its kind's schema asks for. */
export function IssuerForm({ issuer, onClose }: { issuer?: Issuer; onClose(): void }) {
  const kinds = useQuery(IssuerService.method.listIssuerKinds, {}).data?.data ?? [];
  const [name, setName] = useState(issuer?.name ?? "");
  const [isEnabled, setEnabled] = useState(issuer?.enabled ?? true);
  const { kind, setKind, fields, draft, setDraft, config } = useKindConfig(kinds, issuer);
  const isCommanded = fields.some(({ isCommand }) => isCommand);
  const known = useQuery(IssuerService.method.listServerCommands, {}, { enabled: isCommanded });
  const commands = known.data?.data.map((command) => command.name) ?? [];
  const offered = fields.map((field) => (field.isCommand ? withCommands(field, commands) : field));
  const queries = useQueryClient();
  const create = useMutation(IssuerService.method.createIssuer);
  const update = useMutation(IssuerService.method.updateIssuer);
  const test = useMutation(IssuerService.method.testIssuerConfig);
  const error = create.error ?? update.error ?? test.error;
  const submit = async () => {
    test.reset();
    if (issuer) await update.mutateAsync({ id: issuer.id, name, config, enabled: isEnabled });
    else await create.mutateAsync({ name, kind, config, enabled: isEnabled });
    await refresh(queries, IssuerService);
    toast(issuer ? `${name} is changed` : `${name} is created`);
    onClose();
  };
  return (
    <FormDialog
      title={issuer ? `Edit ${issuer.name}` : "Create an issuer"}
      action={issuer ? "Save" : "Create issuer"}
      onClose={onClose}
      onSubmit={submit}
      error={error}
      isPending={create.isPending || update.isPending}
      extra={
        <Button
          isPending={test.isPending}
          onClick={() => test.mutate({ kind, config, issuerId: issuer?.id ?? "" })}
        >
          Test connection
        </Button>
      }
    >
      <NameField name={name} onChange={setName} error={error} />
      <KindField kinds={kinds} kind={kind} onChange={setKind} error={error} isFixed={issuer !== undefined} />
      <ConfigFields fields={offered} draft={draft} onChange={setDraft} error={error} />
      {known.data?.problem && <p className="tone-bad tone-text">{known.data.problem}</p>}
      {fields.length === 0 && kind && <p className="text-fg2">This kind needs no configuration.</p>}
      <Checkbox
        label="Enabled"
        hint="A disabled issuer signs nothing: renewals are refused"
        checked={isEnabled}
        onChange={(event) => setEnabled(event.target.checked)}
      />
      {test.data && <TestResult isOk={test.data.ok} message={test.data.message} />}
    </FormDialog>
  );
}

/** The commands that there are, and what to do about it when there are none. */
function withCommands(field: FormField, commands: string[]): FormField {
  const hint =
    commands.length > 0 ? field.hint : `${field.hint}. server.yaml on the control plane names none`;
  return { ...field, choices: commands, hint };
}
