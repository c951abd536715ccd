import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Fact } from "../notifiers/notifier.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";

export interface NotificationView {
  id: string;
  type: string;
  severity: string;
  effect: string;
  certificateId: string;
  agentId: string;
  thresholdDays: number | null;
  notifierId: string;
  channel: string;
  recipient: string;
  subject: string;
  message: string;
  facts: Fact[];
  status: string;
  attempts: number;
  lastError: string;
  nextAttemptAt: Date | null;
  read: boolean;
  thread: string;
  threadSize: number;
  group: string;
  createdAt: Date;
  sentAt: Date | null;
}

/** Which notifications are wanted; what is empty or undefined chooses nothing. */
export interface NotificationFilter {
  statuses: string[];
  types: string[];
  notifierId: string;
  channel: string;
  certificateId: string;
  agentId: string;
  read?: boolean | undefined;
  thread: string;
  folded: boolean;
  group: string;
  q: string;
}

/** Notifications as the API shows them. */
export const notificationViews = Prisma.sql`
    SELECT e.id, e.type, e.severity, e.effect, coalesce(e.certificate_id, '') AS "certificateId",
      coalesce(e.agent_id, '') AS "agentId", e.threshold_days AS "thresholdDays",
      coalesce(e.notifier_id, '') AS "notifierId", coalesce(n.kind, '') AS channel, e.recipient, e.subject, e.message,
      e.facts, e.status, e.attempts, e.last_error AS "lastError",
      CASE WHEN e.status IN ('pending', 'failed') THEN e.next_attempt_at END AS "nextAttemptAt",
      e.read_at IS NOT NULL AS read, e.thread_key AS thread,
      (SELECT count(*)::int FROM notification_events o WHERE o.thread_key = e.thread_key) AS "threadSize",
      e.incident_key AS "group", e.created_at AS "createdAt", e.sent_at AS "sentAt"
    FROM notification_events e LEFT JOIN notifiers n ON n.id = e.notifier_id`;

const shape: ListShape = {
  view: notificationViews,
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    type: { sql: Prisma.sql`type`, type: "text" },
    status: { sql: Prisma.sql`status`, type: "text" },
    // By how bad it is, not by the alphabet.
    severity: {
      sql: Prisma.sql`array_position(ARRAY['Info', 'Warning', 'Critical'], severity)::bigint`,
      type: "bigint",
    },
  },
  defaultSort: "-created_at",
};

/** Of a certificate that the grants reach; what concerns none is for keys without restriction. */
function granted(grants: Grants): Prisma.Sql {
  return grantedCertificate(grants, Prisma.sql`items."certificateId"`);
}

export async function findNotification(
  db: Database,
  grants: Grants,
  id: string,
): Promise<NotificationView | null> {
  const [view] = await db.$queryRaw<NotificationView[]>`
    SELECT * FROM (${shape.view}) items WHERE id = ${id} AND ${granted(grants)}`;
  return view ?? null;
}

export async function listNotifications(
  db: Database,
  grants: Grants,
  request: ListRequest,
  filter: NotificationFilter,
): Promise<ListedPage<NotificationView>> {
  return listPage<NotificationView>(db, shape, request, [granted(grants), ...conditions(filter)]);
}

function conditions(filter: NotificationFilter): Prisma.Sql[] {
  const { statuses, types, notifierId, channel, certificateId, agentId, read, thread, folded, group, q } =
    filter;
  return [
    ...(statuses.length > 0 ? [Prisma.sql`status = ANY(${statuses}::text[])`] : []),
    ...(types.length > 0 ? [Prisma.sql`type = ANY(${types}::text[])`] : []),
    ...(notifierId ? [Prisma.sql`"notifierId" = ${notifierId}`] : []),
    ...(channel ? [Prisma.sql`channel = ${channel}`] : []),
    ...(certificateId ? [Prisma.sql`"certificateId" = ${certificateId}`] : []),
    ...(agentId ? [Prisma.sql`"agentId" = ${agentId}`] : []),
    ...(read === undefined ? [] : [Prisma.sql`read = ${read}`]),
    ...(thread ? [Prisma.sql`thread = ${thread}`] : []),
    ...(group ? [Prisma.sql`"group" = ${group}`] : []),
    ...(folded
      ? [
          Prisma.sql`NOT EXISTS (SELECT 1 FROM notification_events newer WHERE newer.thread_key = items.thread
            AND (newer.created_at, newer.id) > (items."createdAt", items.id))`,
        ]
      : []),
    ...(q ? [contains(q, [Prisma.sql`subject`, Prisma.sql`recipient`])] : []),
  ];
}
