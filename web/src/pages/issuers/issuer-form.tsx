import type { JsonObject } from "@bufbuild/protobuf";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { type Issuer, IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { ConfigFields, wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { configOf, draftOf, fieldsOf, type Schema } from "../../forms/schema.ts";
import { TestResult } from "../../forms/test-result.tsx";
import { Button } from "../../ui/button.tsx";
import { Checkbox, Field, Input, Select } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";

/** Creates an issuer, or changes one. Its configuration is what its kind's schema asks for. */
export function IssuerForm({ issuer, onClose }: { issuer?: Issuer; onClose(): void }) {
  const kinds = useQuery(IssuerService.method.listIssuerKinds, {}).data?.data ?? [];
  const [name, setName] = useState(issuer?.name ?? "");
  const [chosen, setKind] = useState(issuer?.kind ?? "");
  const [isEnabled, setEnabled] = useState(issuer?.enabled ?? true);
  const kind = chosen || kinds[0]?.kind || "";
  const schema = kinds.find((each) => each.kind === kind)?.configSchema;
  const fields = useMemo(() => fieldsOf((schema ?? {}) as Schema), [schema]);
  const stored = issuer?.kind === kind ? ((issuer.config ?? {}) as JsonObject) : {};
  const [typed, setTyped] = useState<ReturnType<typeof draftOf>>({});
  const draft = { ...draftOf(fields, stored), ...typed };
  const config = configOf(fields, draft);
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
      <Field label="Name" error={wrongWith(error, "name")}>
        {(ids) => <Input {...ids} required value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="Kind" hint={issuer && "Stays as it is"} error={wrongWith(error, "kind")}>
        {(ids) => (
          <Select
            {...ids}
            value={kind}
            disabled={issuer !== undefined}
            onChange={(event) => setKind(event.target.value)}
          >
            {kinds.map(({ kind: each, title }) => (
              <option key={each} value={each}>
                {title}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <ConfigFields fields={fields} draft={draft} onChange={setTyped} error={error} />
      {fields.length === 0 && schema && <p className="text-fg2">This kind needs no configuration.</p>}
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
