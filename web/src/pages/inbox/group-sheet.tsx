import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, Send } from "lucide-react";
import { useEffect } from "react";
import {
  type Notification,
  type NotificationGroup,
  NotificationGroupState,
  NotificationService,
  NotificationStatus,
} from "#gen/certctl/v1/notifications_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Skeleton } from "../../ui/empty-state.tsx";
import { Facts } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { toast } from "../../ui/toast.tsx";
import type { GroupActions } from "./group-actions.ts";
import { DeliveryState, GroupBadge } from "./group-cells.tsx";
import { SnoozeMenu } from "./snooze-menu.tsx";

interface GroupSheetProps {
  group: NotificationGroup;
  actions: GroupActions;
  onClose(): void;
}

/** All that was said of one problem, and what became of each. */
export function GroupSheet({ group, actions, onClose }: GroupSheetProps) {
  const { id, newest, state, unread } = group;
  const said = useQuery(NotificationService.method.listNotifications, { group: id, perPage: 100 });
  const { reason } = usePermission("notifications:write");
  const queries = useQueryClient();
  const { mutate: markRead } = useMutation(NotificationService.method.markNotificationRead, {
    onSuccess: () => refresh(queries, NotificationService),
  });
  const newestId = newest?.id ?? "";
  useEffect(() => {
    if (unread > 0 && !reason && newestId) markRead({ id: newestId });
  }, [unread, reason, newestId, markRead]);
  const isAcknowledged = state === NotificationGroupState.ACKNOWLEDGED;
  return (
    <Dialog
      title={newest?.subject ?? id}
      shape="sheet"
      onClose={onClose}
      footer={
        <>
          <SnoozeMenu
            reason={actions.reason}
            isSnoozed={state === NotificationGroupState.SNOOZED}
            onSnooze={(until) => {
              actions.snooze([id], until);
              onClose();
            }}
          />
          <Button
            kind="primary"
            icon={Check}
            isPending={actions.isPending}
            disabledReason={actions.reason}
            onClick={() => {
              actions.acknowledge([id], isAcknowledged);
              onClose();
            }}
          >
            {isAcknowledged ? "Reopen" : "Acknowledge"}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <p className="flex flex-wrap items-center gap-3">
          <GroupBadge group={group} />
          {newest?.certificateId && (
            <Link
              to="/certificates/$id"
              params={{ id: newest.certificateId }}
              className="text-accent hover:underline"
            >
              Show the certificate
            </Link>
          )}
          {newest?.agentId && (
            <Link to="/agents/$id" params={{ id: newest.agentId }} className="text-accent hover:underline">
              Show the agent
            </Link>
          )}
        </p>
        <p className="break-words">{newest?.message}</p>
        {newest && newest.facts.length > 0 && (
          <Facts facts={newest.facts.map(({ name, value }) => [name, value] as const)} />
        )}
        {group.acknowledgedAt && (
          <p className="text-fg1">
            Acknowledged by {group.acknowledgedBy} <Time at={group.acknowledgedAt} />
          </p>
        )}
        {group.snoozedUntil && (
          <p className="text-fg1">
            Snoozed by {group.snoozedBy} until <Time at={group.snoozedUntil} isExact />
          </p>
        )}
        <section aria-label="What was said">
          <h3 className="mb-1 font-medium">What was said, and who was told</h3>
          {said.data ? (
            <ol className="flex flex-col">
              {said.data.data.map((notification) => (
                <Said
                  key={notification.id}
                  notification={notification}
                  channel={channelOf(group, notification)}
                  reason={reason}
                />
              ))}
            </ol>
          ) : (
            <Skeleton />
          )}
        </section>
      </div>
    </Dialog>
  );
}

const unsent: readonly NotificationStatus[] = [NotificationStatus.FAILED, NotificationStatus.DEAD];

/** By its name where the newest went through it, too. */
function channelOf({ deliveries }: NotificationGroup, { notifierId }: Notification): string {
  return deliveries.find((delivery) => delivery.notifierId === notifierId)?.notifierName || notifierId;
}

interface SaidProps {
  notification: Notification;
  channel: string;
  reason: string | undefined;
}

function Said({ notification, channel, reason }: SaidProps) {
  const { id, subject, createdAt, status, recipient, notifierId, lastError, attempts } = notification;
  const queries = useQueryClient();
  const requeue = useMutation(NotificationService.method.requeueNotification, {
    onSuccess: async () => {
      toast("It is sent again");
      await refresh(queries, NotificationService);
    },
    onError: (error) => toast(messageOf(error)),
  });
  return (
    <li className="flex flex-col gap-1 border-line1 border-b py-2 last:border-b-0">
      <span className="flex flex-wrap items-baseline gap-x-3">
        <span className="min-w-0 flex-1 break-words">{subject}</span>
        <Time at={createdAt} />
      </span>
      <span className="flex flex-wrap items-center gap-x-3 gap-y-1 text-fg1 text-sm">
        <DeliveryState status={status}>
          {[channel || "no channel", recipient].filter(Boolean).join(", ")}
        </DeliveryState>
        {attempts > 1 && <span>{attempts} tries</span>}
        {unsent.includes(status) && notifierId && (
          <Button
            isSmall
            icon={Send}
            isPending={requeue.isPending}
            disabledReason={reason}
            onClick={() => requeue.mutate({ id })}
          >
            Send again
          </Button>
        )}
      </span>
      {lastError && <span className="break-words text-fg2 text-sm">{lastError}</span>}
    </li>
  );
}
