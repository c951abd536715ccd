import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type RenewalPolicy, RenewalPolicyService } from "#gen/certctl/v1/renewal_policies_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { Checkbox, Field, Input } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";
import { type ChannelDraft, ChannelFields, numbersOf } from "./channel-fields.tsx";

/** Creates a renewal policy, or changes one. */
export function RenewalPolicyForm({ policy, onClose }: { policy?: RenewalPolicy; onClose(): void }) {
  const [name, setName] = useState(policy?.name ?? "");
  const [window, setWindow] = useState(String(policy?.renewalWindowDays ?? 30));
  const [retries, setRetries] = useState(String(policy?.maxRetries ?? 4));
  const [isAuto, setAuto] = useState(policy?.autoRenew ?? true);
  const [isHealing, setHealing] = useState(policy?.healDrift ?? false);
  const [thresholds, setThresholds] = useState((policy?.alertThresholdsDays ?? [30, 14, 7, 0]).join(", "));
  const [channels, setChannels] = useState<ChannelDraft[]>(
    (policy?.channels ?? []).map(({ notifierId, thresholdsDays, events }) => ({
      notifierId,
      thresholds: thresholdsDays.join(", "),
      events,
    })),
  );
  const queries = useQueryClient();
  const create = useMutation(RenewalPolicyService.method.createRenewalPolicy);
  const update = useMutation(RenewalPolicyService.method.updateRenewalPolicy);
  const error = create.error ?? update.error;
  const submit = async () => {
    const wanted = {
      name,
      renewalWindowDays: Number(window),
      autoRenew: isAuto,
      healDrift: isHealing,
      maxRetries: Number(retries),
      alertThresholdsDays: numbersOf(thresholds),
      channels: channels.map(({ notifierId, thresholds: told, events }) => ({
        notifierId,
        thresholdsDays: numbersOf(told),
        events: [...events],
      })),
    };
    if (policy) await update.mutateAsync({ id: policy.id, ...wanted });
    else await create.mutateAsync(wanted);
    await refresh(queries, RenewalPolicyService);
    toast(policy ? `${name} is changed` : `${name} is created`);
    onClose();
  };
  return (
    <FormDialog
      title={policy ? `Edit ${policy.name}` : "Create a renewal policy"}
      action={policy ? "Save" : "Create renewal policy"}
      onClose={onClose}
      onSubmit={submit}
      error={error}
      isPending={create.isPending || update.isPending}
    >
      <Field label="Name" error={wrongWith(error, "name")}>
        {(ids) => <Input {...ids} required value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Checkbox
        label="Renew by itself"
        hint="Without it people renew by hand, and alerts come as they are written"
        checked={isAuto}
        onChange={(event) => setAuto(event.target.checked)}
      />
      <Checkbox
        label="Put drift right by itself"
        hint="A target that is seen to serve something else gets again what belongs there, once a day at most"
        checked={isHealing}
        onChange={(event) => setHealing(event.target.checked)}
      />
      <div className="grid gap-3 sm:grid-cols-2">
        <Field
          label="Days before the end"
          hint="But never before two thirds of the lifetime have passed"
          error={wrongWith(error, "renewal_window_days")}
        >
          {(ids) => (
            <Input
              {...ids}
              type="number"
              min={1}
              max={365}
              required
              value={window}
              onChange={(event) => setWindow(event.target.value)}
            />
          )}
        </Field>
        <Field label="Attempts after the first" error={wrongWith(error, "max_retries")}>
          {(ids) => (
            <Input
              {...ids}
              type="number"
              min={0}
              max={20}
              required
              value={retries}
              onChange={(event) => setRetries(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Field
        label="Alerts, in days before the end"
        hint="Separated by commas: 30, 14, 7, 0"
        error={wrongWith(error, "alert_thresholds_days")}
      >
        {(ids) => (
          <Input
            {...ids}
            required
            value={thresholds}
            onChange={(event) => setThresholds(event.target.value)}
          />
        )}
      </Field>
      <ChannelFields channels={channels} onChange={setChannels} error={error} />
    </FormDialog>
  );
}
