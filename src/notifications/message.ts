import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  GroupDeliverySchema,
  type Notification,
  type NotificationGroup,
  NotificationGroupSchema,
  NotificationGroupStateSchema,
  NotificationSchema,
  NotificationStatusSchema,
  NotificationTypeSchema,
} from "#gen/certctl/v1/notifications_pb.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import type { GroupView } from "./groups.ts";
import type { NotificationView } from "./view.ts";

export const typeWords = wordsOf(NotificationTypeSchema);
export const statusWords = wordsOf(NotificationStatusSchema);
export const groupStateWords = wordsOf(NotificationGroupStateSchema);

export function notificationMessage(view: NotificationView): Notification {
  const { type, status, thresholdDays, nextAttemptAt, createdAt, sentAt, facts, ...same } = view;
  return create(NotificationSchema, {
    ...same,
    facts: facts.map(({ name, value }) => ({ name, value })),
    type: typeWords.value(type),
    status: statusWords.value(status),
    ...(thresholdDays === null ? {} : { thresholdDays }),
    createdAt: timestampFromDate(createdAt),
    ...(nextAttemptAt ? { nextAttemptAt: timestampFromDate(nextAttemptAt) } : {}),
    ...(sentAt ? { sentAt: timestampFromDate(sentAt) } : {}),
  });
}

export function groupMessage(view: GroupView): NotificationGroup {
  return create(NotificationGroupSchema, {
    id: view.id,
    state: groupStateWords.value(view.state),
    newest: notificationMessage(view.newest),
    count: view.count,
    unread: view.unread,
    deliveries: view.deliveries.map(({ status, ...delivery }) =>
      create(GroupDeliverySchema, { ...delivery, status: statusWords.value(status) }),
    ),
    ...timestamps({
      firstAt: view.firstAt,
      acknowledgedAt: view.acknowledgedAt,
      snoozedUntil: view.snoozedUntil,
    }),
    acknowledgedBy: view.acknowledgedBy,
    snoozedBy: view.snoozedBy,
  });
}
