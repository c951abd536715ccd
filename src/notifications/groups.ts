import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database } from "../platform/database.ts";
import { allOf, contains, type ListedPage, type ListRequest, listPage } from "../platform/listing.ts";
import { type NotificationView, notificationViews } from "./view.ts";

/** Everything that was said of one problem. */
export interface GroupView {
  /** The incident's key. */
  id: string;
  state: string;
  newest: NotificationView;
  /** Times that it was said: one that goes through several channels counts once. */
  count: number;
  unread: number;
  deliveries: {
    notificationId: string;
    notifierId: string;
    notifierName: string;
    status: string;
    lastError: string;
  }[];
  firstAt: Date;
  acknowledgedAt: Date | null;
  acknowledgedBy: string;
  snoozedUntil: Date | null;
  snoozedBy: string;
}

export interface GroupFilter {
  states: readonly string[];
  types: readonly string[];
  q: string;
  certificateId: string;
}

/**
 * Groups by what was said last of each, which decides whether the problem is over; of what was said at the same moment, its
 * end. What somebody acknowledged comes back when something newer is said, what is snoozed when its time is over.
 */
const groups = (now: Date) => Prisma.sql`
  SELECT e.incident_key AS id, e.id AS "newestId", coalesce(e.certificate_id, '') AS "certificateId", e.type, e.severity,
    e.subject, e.created_at AS "newestAt", g.acknowledged_at AS "acknowledgedAt",
    coalesce(g.acknowledged_by, '') AS "acknowledgedBy", g.snoozed_until AS "snoozedUntil",
    coalesce(g.snoozed_by, '') AS "snoozedBy",
    CASE WHEN e.effect <> 'trigger' THEN 'resolved' WHEN g.snoozed_until > ${now} THEN 'snoozed'
      WHEN g.acknowledged_at >= e.created_at THEN 'acknowledged' ELSE 'open' END AS state
  FROM (
    SELECT DISTINCT ON (incident_key) * FROM notification_events
    ORDER BY incident_key, created_at DESC, effect = 'trigger', id DESC
  ) e LEFT JOIN notification_groups g ON g.incident_key = e.incident_key`;

const granted = (grants: Grants) => grantedCertificate(grants, Prisma.sql`items."certificateId"`);

const columns = {
  newest_at: { sql: Prisma.sql`"newestAt"`, type: "timestamptz" },
  severity: {
    sql: Prisma.sql`array_position(ARRAY['Info', 'Warning', 'Critical'], severity)::bigint`,
    type: "bigint",
  },
} as const;

type Row = Omit<GroupView, "newest" | "count" | "unread" | "deliveries" | "firstAt"> & { newestId: string };

export async function listGroups(
  db: Database,
  grants: Grants,
  request: ListRequest,
  { states, types, q, certificateId }: GroupFilter,
  now: Date,
): Promise<ListedPage<GroupView>> {
  const shape = { view: groups(now), columns, defaultSort: "-newest_at" };
  const { rows, ...page } = await listPage<Row>(db, shape, request, [
    granted(grants),
    ...(states.length > 0 ? [Prisma.sql`state = ANY(${[...states]}::text[])`] : []),
    ...(types.length > 0 ? [Prisma.sql`type = ANY(${[...types]}::text[])`] : []),
    ...(certificateId ? [Prisma.sql`"certificateId" = ${certificateId}`] : []),
    ...(q ? [contains(q, [Prisma.sql`subject`])] : []),
  ]);
  const ids = rows.map(({ id }) => id);
  const [newest, sums] = await Promise.all([
    db.$queryRaw<NotificationView[]>`
      SELECT * FROM (${notificationViews}) items WHERE id = ANY(${rows.map(({ newestId }) => newestId)}::text[])`,
    sumsOf(db, ids),
  ]);
  const complete = rows.flatMap(({ newestId, ...row }) => {
    const said = newest.find(({ id }) => id === newestId);
    const sum = sums.find(({ id }) => id === row.id);
    return said && sum ? [{ ...row, ...sum, newest: said }] : [];
  });
  return { ...page, rows: complete };
}

/** What was said at one moment of one problem went through each of the deliveries. */
async function sumsOf(db: Database, ids: readonly string[]) {
  return db.$queryRaw<Pick<GroupView, "id" | "count" | "unread" | "deliveries" | "firstAt">[]>`
    SELECT e.incident_key AS id, count(DISTINCT (e.type, e.threshold_days, e.created_at))::int AS count,
      count(*) FILTER (WHERE e.read_at IS NULL)::int AS unread, min(e.created_at) AS "firstAt",
      jsonb_agg(jsonb_build_object('notificationId', e.id, 'notifierId', coalesce(e.notifier_id, ''),
        'notifierName', coalesce(n.name, ''), 'status', e.status, 'lastError', e.last_error) ORDER BY e.notifier_id)
        FILTER (WHERE e.created_at = newest.at) AS deliveries
    FROM notification_events e
    LEFT JOIN notifiers n ON n.id = e.notifier_id
    JOIN LATERAL (
      SELECT max(created_at) AS at FROM notification_events o WHERE o.incident_key = e.incident_key
    ) newest ON true
    WHERE e.incident_key = ANY(${[...ids]}::text[]) GROUP BY e.incident_key`;
}

/** How many groups there are of each state. */
export async function countGroups(db: Database, grants: Grants, now: Date): Promise<Record<string, number>> {
  const rows = await db.$queryRaw<{ state: string; count: number }[]>`
    SELECT state, count(*)::int AS count FROM (${groups(now)}) items WHERE ${allOf([granted(grants)])} GROUP BY state`;
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}
