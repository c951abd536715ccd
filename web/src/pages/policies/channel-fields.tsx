import { useQuery } from "@connectrpc/connect-query";
import { Plus, Trash2 } from "lucide-react";
import { NotificationType, NotificationTypeSchema } from "#gen/certctl/v1/notifications_pb.ts";
import { NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { readable } from "../../status/words.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Checkbox, Field, Input, Select } from "../../ui/field.tsx";

/** What a notifier is told, as it is typed. */
export interface ChannelDraft {
  notifierId: string;
  thresholds: string;
  events: readonly NotificationType[];
}

/** Expiry is told by thresholds. */
const events = NotificationTypeSchema.values
  .map(({ number }) => number as NotificationType)
  .filter((type) => type !== NotificationType.UNSPECIFIED && type !== NotificationType.CERTIFICATE_EXPIRING);

/** The numbers of a text like "30, 14, 7". */
export function numbersOf(text: string): number[] {
  return [
    ...new Set(
      text
        .split(/[\s,]+/)
        .filter((part) => /^\d+$/.test(part))
        .map(Number),
    ),
  ];
}

/** Who is told what: a channel at a time. */
export function ChannelFields({
  channels,
  onChange,
  error,
}: {
  channels: readonly ChannelDraft[];
  onChange(channels: ChannelDraft[]): void;
  error: unknown;
}) {
  const notifiers =
    useQuery(NotifierService.method.listNotifiers, { perPage: 500, sort: "name" }).data?.data ?? [];
  const free = notifiers.filter(({ id }) => !channels.some(({ notifierId }) => notifierId === id));
  const set = (index: number, change: Partial<ChannelDraft>) =>
    onChange(channels.map((channel, at) => (at === index ? { ...channel, ...change } : channel)));
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-1 font-medium text-fg1">Who is told</legend>
      {channels.length === 0 && <p className="text-fg2">Nobody: alerts stand in the inbox alone.</p>}
      {channels.map((channel, index) => (
        <div
          key={channel.notifierId}
          className="flex flex-col gap-2 rounded-control border border-line1 px-3 pt-2 pb-3"
        >
          <div className="flex items-end gap-2">
            <div className="flex-1">
              <Field label="Channel" error={wrongWith(error, `channels[${index}].notifier_id`)}>
                {(ids) => (
                  <Select
                    {...ids}
                    value={channel.notifierId}
                    onChange={(event) => set(index, { notifierId: event.target.value })}
                  >
                    {notifiers
                      .filter(({ id }) => id === channel.notifierId || free.some((each) => each.id === id))
                      .map(({ id, name }) => (
                        <option key={id} value={id}>
                          {name}
                        </option>
                      ))}
                  </Select>
                )}
              </Field>
            </div>
            <IconButton
              icon={Trash2}
              label="Tell this channel nothing"
              onClick={() => onChange(channels.filter((_, at) => at !== index))}
            />
          </div>
          <Field
            label="Told of these alerts"
            hint="Days before the end, some of those above"
            isOptional
            error={wrongWith(error, `channels[${index}].thresholds_days`)}
          >
            {(ids) => (
              <Input
                {...ids}
                value={channel.thresholds}
                onChange={(event) => set(index, { thresholds: event.target.value })}
              />
            )}
          </Field>
          <div className="grid gap-1.5 sm:grid-cols-2">
            {events.map((type) => (
              <Checkbox
                key={type}
                label={readable(NotificationTypeSchema, type)}
                checked={channel.events.includes(type)}
                onChange={(event) =>
                  set(index, {
                    events: event.target.checked
                      ? [...channel.events, type]
                      : channel.events.filter((each) => each !== type),
                  })
                }
              />
            ))}
          </div>
        </div>
      ))}
      <div>
        <Button
          isSmall
          icon={Plus}
          disabledReason={
            free.length > 0
              ? undefined
              : notifiers.length === 0
                ? "Create a channel in the settings first"
                : "Every channel is told already"
          }
          onClick={() =>
            onChange([...channels, { notifierId: free[0]?.id ?? "", thresholds: "", events: [] }])
          }
        >
          Tell a channel
        </Button>
      </div>
    </fieldset>
  );
}
