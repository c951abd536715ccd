import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Notification,
  NotificationGroupState,
  type NotificationService,
  NotificationStatus,
} from "#gen/certctl/v1/notifications_pb.ts";
import { say } from "../changes.ts";
import type { World } from "../world.ts";

/** Notifications folded by what they are about, with what one has said of each group. */
export function inboxDemo(world: World): Partial<ServiceImpl<typeof NotificationService>> {
  const states = new Map<string, NotificationGroupState>();
  const idOf = ({ certificateId, agentId, type }: Notification) => `${certificateId || agentId}/${type}`;
  const seconds = ({ createdAt }: Notification) => (createdAt ? timestampDate(createdAt).getTime() : 0);
  const groups = () =>
    [...Map.groupBy(world.notifications.values(), idOf)].map(([id, rows]) => {
      const sorted = [...rows].sort((a, b) => seconds(b) - seconds(a));
      const [newest] = sorted;
      const first = sorted.at(-1);
      return {
        id,
        state: states.get(id) ?? NotificationGroupState.OPEN,
        ...(newest && { newest }),
        count: rows.length,
        unread: rows.filter(({ read }) => !read).length,
        deliveries: [
          {
            notifierId: "nf-oncall",
            notifierName: "On-call",
            channel: "webhook",
            status: NotificationStatus.SENT,
          },
        ],
        ...(first?.createdAt && { firstAt: first.createdAt }),
      };
    });
  const mark = (ids: readonly string[], state: NotificationGroupState) => {
    for (const id of ids) states.set(id, state);
    say(world, "notifications", "");
    return { count: ids.length };
  };
  return {
    listNotificationGroups({ state, q, certificateId }) {
      const all = groups();
      const data = all.filter(
        (group) =>
          (state.length === 0 || state.includes(group.state)) &&
          (q === "" || group.newest?.subject.includes(q)) &&
          (certificateId === "" || group.newest?.certificateId === certificateId),
      );
      const of = (wanted: NotificationGroupState) => all.filter((group) => group.state === wanted).length;
      return {
        data,
        total: data.length,
        page: 1,
        perPage: 50,
        byState: {
          open: of(NotificationGroupState.OPEN),
          snoozed: of(NotificationGroupState.SNOOZED),
          acknowledged: of(NotificationGroupState.ACKNOWLEDGED),
          resolved: of(NotificationGroupState.RESOLVED),
        },
      };
    },
    acknowledgeNotificationGroups: ({ id }) => mark(id, NotificationGroupState.ACKNOWLEDGED),
    snoozeNotificationGroups: ({ id }) => mark(id, NotificationGroupState.SNOOZED),
  };
}
