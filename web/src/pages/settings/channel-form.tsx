import type { JsonObject } from "@bufbuild/protobuf";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { type Notifier, NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { ConfigFields, wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { configOf, draftOf, fieldsOf, type Schema } from "../../forms/schema.ts";
import { TestResult } from "../../forms/test-result.tsx";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Checkbox, Field, Input, Select } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";

/** Adds a channel, or changes one. Its configuration is what its kind's schema asks for. */
export function ChannelForm({ channel, onClose }: { channel?: Notifier; onClose(): void }) {
  const kinds = useQuery(NotifierService.method.listNotifierKinds).data?.data ?? [];
  const { reason } = usePermission("notifiers:write");
  const [name, setName] = useState(channel?.name ?? "");
  const [chosen, setKind] = useState(channel?.kind ?? "");
  const [isEnabled, setEnabled] = useState(channel?.enabled ?? true);
  const [recipient, setRecipient] = useState(channel?.defaultRecipient ?? "");
  const kind = kinds.find((each) => each.kind === chosen) ?? kinds[0];
  const fields = useMemo(() => fieldsOf((kind?.configSchema ?? {}) as Schema), [kind]);
  const stored = channel && channel.kind === kind?.kind ? ((channel.config ?? {}) as JsonObject) : {};
  const [typed, setTyped] = useState<ReturnType<typeof draftOf>>({});
  const draft = { ...draftOf(fields, stored), ...typed };
  const config = configOf(fields, draft);
  const defaultRecipient = kind?.addressed ? recipient : "";
  const queries = useQueryClient();
  const create = useMutation(NotifierService.method.createNotifier);
  const update = useMutation(NotifierService.method.updateNotifier);
  const test = useMutation(NotifierService.method.testNotifierConfig);
  const error = create.error ?? update.error ?? test.error;
  const submit = async () => {
    test.reset();
    const all = { name, config, enabled: isEnabled, defaultRecipient };
    if (channel) await update.mutateAsync({ id: channel.id, ...all });
    else await create.mutateAsync({ kind: kind?.kind ?? "", ...all });
    await refresh(queries, NotifierService);
    toast(channel ? `${name} is changed` : `${name} is added`);
    onClose();
  };
  return (
    <FormDialog
      title={channel ? `Edit ${channel.name}` : "Add a channel"}
      action={channel ? "Save" : "Add channel"}
      onClose={onClose}
      onSubmit={submit}
      error={error}
      isPending={create.isPending || update.isPending}
      extra={
        <Button
          isPending={test.isPending}
          disabledReason={reason}
          onClick={() =>
            test.mutate({
              kind: kind?.kind ?? "",
              config,
              recipient: defaultRecipient,
              notifierId: channel?.id ?? "",
            })
          }
        >
          Send a test message
        </Button>
      }
    >
      <Field label="Name" error={wrongWith(error, "name")}>
        {(ids) => <Input {...ids} required value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="Kind" hint={channel && "Stays as it is"} error={wrongWith(error, "kind")}>
        {(ids) => (
          <Select
            {...ids}
            value={kind?.kind ?? ""}
            disabled={channel !== undefined}
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
      {kind?.addressed && (
        <Field
          label="Default recipient"
          hint="For what neither an owner nor a team has an address for"
          isOptional
          error={wrongWith(error, "default_recipient")}
        >
          {(ids) => (
            <Input
              {...ids}
              type="email"
              value={recipient}
              onChange={(event) => setRecipient(event.target.value)}
            />
          )}
        </Field>
      )}
      <Checkbox
        label="Enabled"
        hint="A disabled channel sends nothing: what it was to send is given up"
        checked={isEnabled}
        onChange={(event) => setEnabled(event.target.checked)}
      />
      {test.data && <TestResult isOk={test.data.delivered} message={test.data.message} />}
    </FormDialog>
  );
}
