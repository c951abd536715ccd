import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Notification,
  NotificationDeliverySchema,
  type NotificationService,
} from "#gen/certctl/v1/notifications_pb.ts";
import type { Actor } from "../audit/record.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { acknowledgeGroups, snoozeGroups } from "./group-state.ts";
import { countGroups, listGroups } from "./groups.ts";
import { markAllRead, markRead, requeue } from "./manage.ts";
import { groupMessage, groupStateWords, notificationMessage, statusWords, typeWords } from "./message.ts";
import { findNotification, listNotifications } from "./view.ts";

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
    const notification = notificationMessage(view);
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
      return { ...page, data: rows.map(notificationMessage) };
    },
    async listNotificationGroups(request, context) {
      const { grants } = callerOf(context);
      const now = clock();
      const states = request.state.map(groupStateWords.text);
      const types = request.type.map(typeWords.text);
      const wanted = { ...request, states, types };
      const [{ rows, ...page }, byState] = await Promise.all([
        listGroups(db, grants, request, wanted, now),
        countGroups(db, grants, now),
      ]);
      return { ...page, data: rows.map(groupMessage), byState };
    },
    async acknowledgeNotificationGroups({ id: ids, undo }, context) {
      return { count: await acknowledgeGroups(db, callerOf(context), { ids, undo }, clock()) };
    },
    async snoozeNotificationGroups({ id: ids, until }, context) {
      const wanted = { ids, until: until ? timestampDate(until) : null };
      return { count: await snoozeGroups(db, callerOf(context), wanted, clock()) };
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
