import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Notifier, NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { ConfigFields, wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { useKindConfig } from "../../forms/kind-config.ts";
import { KindField, NameField } from "../../forms/kind-field.tsx";
import { TestResult } from "../../forms/test-result.tsx";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Checkbox, Field, Input } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";

/** Adds a channel, or changes one. Its configuration is what its kind's schema asks for. */
export function ChannelForm({ channel, onClose }: { channel?: Notifier; onClose(): void }) {
  const kinds = useQuery(NotifierService.method.listNotifierKinds).data?.data ?? [];
  const { reason } = usePermission("notifiers:write");
  const [name, setName] = useState(channel?.name ?? "");
  const [isEnabled, setEnabled] = useState(channel?.enabled ?? true);
  const [recipient, setRecipient] = useState(channel?.defaultRecipient ?? "");
  const { kind, setKind, fields, draft, setDraft, config } = useKindConfig(kinds, channel);
  const isAddressed = kinds.some((each) => each.kind === kind && each.addressed);
  const defaultRecipient = isAddressed ? recipient : "";
  const queries = useQueryClient();
  const create = useMutation(NotifierService.method.createNotifier);
  const update = useMutation(NotifierService.method.updateNotifier);
  const test = useMutation(NotifierService.method.testNotifierConfig);
  const error = create.error ?? update.error ?? test.error;
  const submit = async () => {
    test.reset();
    const all = { name, config, enabled: isEnabled, defaultRecipient };
    if (channel) await update.mutateAsync({ id: channel.id, ...all });
    else await create.mutateAsync({ kind, ...all });
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
              kind,
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
      <NameField name={name} onChange={setName} error={error} />
      <KindField kinds={kinds} kind={kind} onChange={setKind} error={error} isFixed={channel !== undefined} />
      <ConfigFields fields={fields} draft={draft} onChange={setDraft} error={error} />
      {isAddressed && (
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
