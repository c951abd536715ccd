import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { NotificationService } from "#gen/certctl/v1/notifications_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import type { Selection } from "../../ui/selection.ts";
import { toast } from "../../ui/toast.tsx";

/** Acknowledging and snoozing, for any number of groups. */
export interface GroupActions {
  acknowledge(ids: readonly string[], undo?: boolean): void;
  /** Undefined: they come back now. */
  snooze(ids: readonly string[], until: Date | undefined): void;
  isPending: boolean;
  reason: string | undefined;
}

export function useGroupActions(selection: Selection): GroupActions {
  const { reason } = usePermission("notifications:write");
  const queries = useQueryClient();
  const answers = {
    onSuccess: async () => {
      selection.clear();
      await refresh(queries, NotificationService);
    },
    onError: (error: unknown) => toast(messageOf(error)),
  };
  const acknowledge = useMutation(NotificationService.method.acknowledgeNotificationGroups, answers);
  const snooze = useMutation(NotificationService.method.snoozeNotificationGroups, answers);
  return {
    acknowledge: (ids, undo = false) => acknowledge.mutate({ id: [...ids], undo }),
    snooze: (ids, until) =>
      snooze.mutate({ id: [...ids], ...(until && { until: timestampFromDate(until) }) }),
    isPending: acknowledge.isPending || snooze.isPending,
    reason,
  };
}
