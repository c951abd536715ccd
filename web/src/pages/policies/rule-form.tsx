import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  PolicyMode,
  type PolicyRule,
  PolicyService,
  PolicySeverity,
  PolicySeveritySchema,
} from "#gen/certctl/v1/policies_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { ConfigFields, wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { useKindConfig } from "../../forms/kind-config.ts";
import { KindField, NameField } from "../../forms/kind-field.tsx";
import { useNames } from "../../names/names.ts";
import { readable } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { Checkbox, Field, Select } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";
import { DryRunResult } from "./dry-run-result.tsx";

const severities = [PolicySeverity.WARNING, PolicySeverity.ERROR, PolicySeverity.CRITICAL];

/** Creates a rule, or changes one. What it would find can be seen before it is saved. */
export function RuleForm({ rule, onClose }: { rule?: PolicyRule; onClose(): void }) {
  const types = useQuery(PolicyService.method.listPolicyTypes, {}).data?.data ?? [];
  const kinds = types.map((each) => ({ ...each, kind: each.type }));
  const [name, setName] = useState(rule?.name ?? "");
  const [severity, setSeverity] = useState(rule?.severity ?? PolicySeverity.ERROR);
  const [mode, setMode] = useState(rule?.mode ?? PolicyMode.AUDIT);
  const [enabled, setEnabled] = useState(rule?.enabled ?? true);
  const start = rule && { kind: rule.type, config: rule.config };
  const { kind: type, setKind, fields, draft, setDraft, config } = useKindConfig(kinds, start);
  const issuers = useNames().issuers;
  const queries = useQueryClient();
  const create = useMutation(PolicyService.method.createPolicyRule);
  const update = useMutation(PolicyService.method.updatePolicyRule);
  const dryRun = useMutation(PolicyService.method.dryRunPolicyRule);
  const error = create.error ?? update.error ?? dryRun.error;
  const submit = async () => {
    dryRun.reset();
    const wanted = { name, config, severity, mode, enabled };
    if (rule) await update.mutateAsync({ id: rule.id, ...wanted });
    else await create.mutateAsync({ type, ...wanted });
    await refresh(queries, PolicyService);
    toast(rule ? `${name} is changed` : `${name} is created`);
    onClose();
  };
  return (
    <FormDialog
      title={rule ? `Edit ${rule.name}` : "Create a rule"}
      action={rule ? "Save" : "Create rule"}
      onClose={onClose}
      onSubmit={submit}
      error={error}
      isPending={create.isPending || update.isPending}
      extra={
        <Button isPending={dryRun.isPending} onClick={() => dryRun.mutate({ type, config })}>
          Try on the inventory
        </Button>
      }
    >
      <NameField name={name} onChange={setName} error={error} />
      <KindField
        label="What it asks for"
        path="type"
        kinds={kinds}
        kind={type}
        onChange={(next) => {
          setKind(next);
          dryRun.reset();
        }}
        error={error}
        isFixed={rule !== undefined}
      />
      <ConfigFields
        fields={fields}
        draft={draft}
        onChange={setDraft}
        error={error}
        suggestions={{ allowed_issuer_ids: Array.from(issuers, ([value, label]) => ({ value, label })) }}
      />
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Severity" error={wrongWith(error, "severity")}>
          {(ids) => (
            <Select
              {...ids}
              value={severity}
              onChange={(event) => setSeverity(Number(event.target.value) as PolicySeverity)}
            >
              {severities.map((each) => (
                <option key={each} value={each}>
                  {readable(PolicySeveritySchema, each)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="What breaks it is" error={wrongWith(error, "mode")}>
          {(ids) => (
            <Select
              {...ids}
              value={mode}
              onChange={(event) => setMode(Number(event.target.value) as PolicyMode)}
            >
              <option value={PolicyMode.AUDIT}>Recorded</option>
              <option value={PolicyMode.ENFORCE}>Refused</option>
            </Select>
          )}
        </Field>
      </div>
      <Checkbox
        label="Enabled"
        hint="A disabled rule holds nobody to anything; its violations close"
        checked={enabled}
        onChange={(event) => setEnabled(event.target.checked)}
      />
      {dryRun.data && <DryRunResult result={dryRun.data} />}
    </FormDialog>
  );
}
