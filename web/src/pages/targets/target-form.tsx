import type { JsonObject } from "@bufbuild/protobuf";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { type Target, TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { ConfigFields, wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { useKindConfig } from "../../forms/kind-config.ts";
import { KindField, NameField } from "../../forms/kind-field.tsx";
import { Button } from "../../ui/button.tsx";
import { Field, Select } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";
import { Checks } from "./checks.tsx";

interface TargetFormProps {
  /** The one that is changed. */
  target?: Target;
  /** What a new one begins with. */
  start?: { agentId: string; kind: string; name: string; config: JsonObject };
  onClose(): void;
}

/** Creates a target, or changes one. What is asked for comes from its kind; what the agent's host allows is offered. */
export function TargetForm({ target, start, onClose }: TargetFormProps) {
  const agents = useQuery(AgentService.method.listAgents, { perPage: 500, sort: "name" }).data?.data ?? [];
  const kinds = useQuery(TargetService.method.listTargetKinds, {}).data?.data ?? [];
  const [name, setName] = useState(target?.name ?? start?.name ?? "");
  const [agentId, setAgent] = useState(target?.agentId ?? start?.agentId ?? "");
  const { kind, setKind, fields, draft, setDraft, config } = useKindConfig(kinds, target ?? start);
  const entries = agents.find(({ id }) => id === agentId)?.entries ?? [];
  const queries = useQueryClient();
  const create = useMutation(TargetService.method.createTarget);
  const update = useMutation(TargetService.method.updateTarget);
  const test = useMutation(TargetService.method.testTargetConfig);
  const error = create.error ?? update.error ?? test.error;
  const submit = async () => {
    test.reset();
    if (target) await update.mutateAsync({ id: target.id, name, config });
    else await create.mutateAsync({ name, kind, agentId, config });
    await refresh(queries, TargetService, AgentService);
    toast(target ? `${name} is changed` : `${name} is created`);
    onClose();
  };
  const adopt = (entryName: string) => {
    const entry = entries.find((each) => each.name === entryName);
    if (!entry) return;
    setKind(entry.kind);
    setDraft({ entry: entry.name });
    if (name === "") setName(entry.name);
  };
  return (
    <FormDialog
      title={target ? `Edit ${target.name}` : "Create a target"}
      action={target ? "Save" : "Create target"}
      onClose={onClose}
      onSubmit={submit}
      error={error}
      isPending={create.isPending || update.isPending}
      extra={
        <Button
          isPending={test.isPending}
          disabledReason={agentId ? undefined : "Choose the agent first"}
          onClick={() => test.mutate({ kind, agentId, config })}
        >
          Test connection
        </Button>
      }
    >
      <Field label="Agent" hint={target && "Stays as it is"} error={wrongWith(error, "agent_id")}>
        {(ids) => (
          <Select
            {...ids}
            required
            disabled={target !== undefined}
            value={agentId}
            onChange={(event) => setAgent(event.target.value)}
          >
            <option value="">Choose the agent on the target's host</option>
            {agents.map((agent) => (
              <option key={agent.id} value={agent.id}>
                {agent.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {entries.length > 0 && !target && (
        <Field label="From its agent.yaml" hint="Fills in kind, entry and name" isOptional>
          {(ids) => (
            <Select
              {...ids}
              value={String(draft["entry"] ?? "")}
              onChange={(event) => adopt(event.target.value)}
            >
              <option value="">Choose an entry</option>
              {entries.map(({ name: entry, kind: of, endpoint, targetId }) => (
                <option key={entry} value={entry}>
                  {`${entry} (${of}${endpoint && `, ${endpoint}`})${targetId && ", in use"}`}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      <NameField name={name} onChange={setName} error={error} />
      <KindField kinds={kinds} kind={kind} onChange={setKind} error={error} isFixed={target !== undefined} />
      <ConfigFields
        fields={fields}
        draft={draft}
        onChange={setDraft}
        error={error}
        suggestions={{ entry: entries.map(({ name: value, endpoint }) => ({ value, label: endpoint })) }}
      />
      {test.data && <Checks result={test.data} />}
    </FormDialog>
  );
}
