import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Notification,
  NotificationDeliverySchema,
  NotificationSchema,
  type NotificationService,
  NotificationStatusSchema,
  NotificationTypeSchema,
} from "#gen/certctl/v1/notifications_pb.ts";
import type { Actor } from "../audit/record.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { wordsOf } from "../platform/words.ts";
import { markAllRead, markRead, requeue } from "./manage.ts";
import { findNotification, listNotifications, type NotificationView } from "./view.ts";

const typeWords = wordsOf(NotificationTypeSchema);
const statusWords = wordsOf(NotificationStatusSchema);

export function notificationService(deps: {
  db: Database;
  clock: () => Date;
}): ServiceImpl<typeof NotificationService> {
  const { db, clock } = deps;

  async function read(id: string, { grants }: Actor): Promise<Notification> {
    const view = await findNotification(db, grants, id);
    if (!view) throw notFound("notification", id);
    const tries = await db.notificationDelivery.findMany({
      where: { notificationId: id },
      orderBy: { id: "asc" },
    });
    const notification = message(view);
    notification.deliveries = tries.map(
      ({ at, words, attempt, notifierId, recipient, delivered, durationMs }) =>
        create(NotificationDeliverySchema, {
          at: timestampFromDate(at),
          message: words,
          attempt,
          notifierId,
          recipient,
          delivered,
          durationMs,
        }),
    );
    return notification;
  }

  return {
    async listNotifications(request, context) {
      const { grants } = callerOf(context);
      const statuses = request.status.map(statusWords.text);
      const types = request.type.map(typeWords.text);
      const { rows, ...page } = await listNotifications(db, grants, request, { ...request, statuses, types });
      return { ...page, data: rows.map(message) };
    },
    async getNotification({ id }, context) {
      return { notification: await read(id, callerOf(context)) };
    },
    async markNotificationRead({ id, read: isRead = true }, context) {
      await markRead(db, callerOf(context), { id, isRead }, clock());
      return { notification: await read(id, callerOf(context)) };
    },
    async markNotificationsRead({ thread }, context) {
      return { count: await markAllRead(db, callerOf(context), thread, clock()) };
    },
    async requeueNotification(request, context) {
      await requeue(db, callerOf(context), request, clock());
      return { notification: await read(request.id, callerOf(context)) };
    },
  };
}

function message(view: NotificationView): Notification {
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
