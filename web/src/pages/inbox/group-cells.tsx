import { Bell, CircleAlert, CircleCheck, CircleX, Clock, Info, Send, TriangleAlert } from "lucide-react";
import {
  type NotificationGroup,
  NotificationStatus,
  NotificationStatusSchema,
} from "#gen/certctl/v1/notifications_pb.ts";
import { type Look, unknownLook } from "../../status/certificate-status.tsx";
import { readable } from "../../status/words.ts";
import { Badge, State } from "../../ui/badge.tsx";
import { cx } from "../../ui/class-names.ts";

const severities: Readonly<Record<string, Look>> = {
  Info: { tone: "muted", icon: Info },
  Warning: { tone: "warn", icon: TriangleAlert },
  Critical: { tone: "bad", icon: CircleAlert },
};

export function GroupBadge({ group: { newest } }: { group: NotificationGroup }) {
  const severity = newest?.severity ?? "";
  const look = severities[severity] ?? unknownLook;
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {severity || look.word}
    </Badge>
  );
}

/** The subject, bold while nobody has read it, and how often it was said before. */
export function GroupName({ group, onOpen }: { group: NotificationGroup; onOpen(id: string): void }) {
  const { id, newest, count, unread } = group;
  return (
    <div className="min-w-0">
      <button
        type="button"
        onClick={() => onOpen(id)}
        className={cx(
          "block w-full truncate text-left hover:text-accent",
          unread > 0 ? "font-semibold" : "font-normal",
        )}
      >
        {unread > 0 && <span className="sr-only">Unread: </span>}
        {newest?.subject}
      </button>
      <span className="block truncate font-normal text-fg2 text-sm">
        {count > 1 ? `${count - 1} earlier` : "the first time"}, {newest?.message}
      </span>
    </div>
  );
}

const statuses: Readonly<Record<NotificationStatus, Look>> = {
  [NotificationStatus.UNSPECIFIED]: unknownLook,
  [NotificationStatus.PENDING]: { tone: "due", icon: Clock },
  [NotificationStatus.SENT]: { tone: "ok", icon: CircleCheck },
  [NotificationStatus.FAILED]: { tone: "warn", icon: Send, word: "Tried again later" },
  [NotificationStatus.DEAD]: { tone: "bad", icon: CircleX, word: "Not told" },
};

export function DeliveryState({ status, children }: { status: NotificationStatus; children?: string }) {
  const look = statuses[status] ?? unknownLook;
  return (
    <State tone={look.tone} icon={look.icon}>
      {children}
      {children && ": "}
      {look.word ?? readable(NotificationStatusSchema, status)}
    </State>
  );
}

/** Through which channels the newest went, and what became of that. */
export function DeliveryStates({ group: { deliveries } }: { group: NotificationGroup }) {
  const [first, ...others] = deliveries;
  if (!first)
    return (
      <State tone="muted" icon={Bell}>
        Nobody
      </State>
    );
  const worst = deliveries.find(({ status }) => status === NotificationStatus.DEAD) ?? first;
  return (
    <span title={worst.lastError || undefined}>
      <DeliveryState status={worst.status}>{worst.notifierName || "no channel"}</DeliveryState>
      {others.length > 0 && <span className="ml-2 text-fg2">+{others.length}</span>}
    </span>
  );
}
