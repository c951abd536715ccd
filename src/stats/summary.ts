import { agentViews } from "../agents/view.ts";
import { unrestricted } from "../auth/grants.ts";
import { certificateViews } from "../certificates/view.ts";
import type { Database } from "../platform/database.ts";

export interface Counted {
  name: string;
  count: number;
}

/** The counts of the certificates, by what they are counted by. */
export interface CertificateCounts {
  total: number;
  status: Counted[];
  schedule: Counted[];
  expiry: Counted[];
  issuer: Counted[];
  team: Counted[];
  environment: Counted[];
  keyAlgorithm: Counted[];
}

/** Counts certificates by everything at once, in one pass over them. */
export async function countCertificates(db: Database, now: Date): Promise<CertificateCounts> {
  const rows = await db.$queryRaw<{ by: string; name: string; count: number }[]>`
    WITH certificates AS MATERIALIZED (
      SELECT status, schedule, "issuerId", coalesce("teamId", '') AS "teamId", environment, "keyAlgorithm",
        "archivedAt" IS NULL AS "isLive", expiry
      FROM (${certificateViews(now)}) views
    )
    SELECT 'total' AS by, '' AS name, count(*)::int AS count FROM certificates WHERE "isLive"
    UNION ALL SELECT 'status', status, count(*)::int FROM certificates GROUP BY status
    UNION ALL SELECT 'schedule', schedule, count(*)::int FROM certificates WHERE schedule <> '' GROUP BY schedule
    UNION ALL SELECT 'expiry', expiry, count(*)::int FROM certificates
      WHERE "isLive" AND expiry <> '' GROUP BY 2
    UNION ALL SELECT 'issuer', "issuerId", count(*)::int FROM certificates WHERE "isLive" GROUP BY 2
    UNION ALL SELECT 'team', "teamId", count(*)::int FROM certificates WHERE "isLive" GROUP BY 2
    UNION ALL SELECT 'environment', environment, count(*)::int FROM certificates WHERE "isLive" GROUP BY 2
    UNION ALL SELECT 'keyAlgorithm', "keyAlgorithm", count(*)::int FROM certificates WHERE "isLive" GROUP BY 2
    ORDER BY 1, 3 DESC, 2`;
  const by = (wanted: string): Counted[] =>
    rows.filter((row) => row.by === wanted).map(({ name, count }) => ({ name, count }));
  return {
    total: by("total")[0]?.count ?? 0,
    status: by("status"),
    schedule: by("schedule"),
    expiry: by("expiry"),
    issuer: by("issuer"),
    team: by("team"),
    environment: by("environment"),
    keyAlgorithm: by("keyAlgorithm"),
  };
}

export async function countAgents(db: Database): Promise<Counted[]> {
  return db.$queryRaw<Counted[]>`
    SELECT status AS name, count(*)::int AS count FROM (${agentViews(unrestricted)}) views GROUP BY 1 ORDER BY 2 DESC, 1`;
}

/** Open jobs, and those that ended within a day, by status; and why jobs failed within a day. */
export async function countJobs(
  db: Database,
  now: Date,
): Promise<{ status: Counted[]; failureClass: Counted[] }> {
  const since = new Date(now.getTime() - 86_400_000);
  const [status, failureClass] = await Promise.all([
    db.$queryRaw<Counted[]>`
      SELECT status AS name, count(*)::int AS count FROM jobs
      WHERE status IN ('Pending', 'AwaitingCSR', 'Running') OR completed_at > ${since}
      GROUP BY 1 ORDER BY 2 DESC, 1`,
    db.$queryRaw<Counted[]>`
      SELECT failure_class AS name, count(*)::int AS count FROM jobs
      WHERE status = 'Failed' AND completed_at > ${since} GROUP BY 1 ORDER BY 2 DESC, 1`,
  ]);
  return { status, failureClass };
}

/** What waits for a person. */
export async function countAttention(db: Database) {
  const [violations, notifications, unread, awaitingApproval, [drift]] = await Promise.all([
    db.$queryRaw<Counted[]>`
      SELECT severity AS name, count(*)::int AS count FROM policy_violations WHERE closed_at IS NULL
      GROUP BY 1 ORDER BY 2 DESC, 1`,
    db.$queryRaw<Counted[]>`
      SELECT status AS name, count(*)::int AS count FROM notification_events GROUP BY 1 ORDER BY 2 DESC, 1`,
    db.notification.count({ where: { readAt: null } }),
    db.operation.count({ where: { status: "AwaitingApproval" } }),
    db.$queryRaw<[{ count: number }]>`
      SELECT count(*)::int AS count FROM certificate_target_mappings m
      JOIN certificate_versions v ON v.id = m.version_id
      JOIN managed_certificates c ON c.id = m.certificate_id AND c.archived_at IS NULL
      WHERE m.served_at IS NOT NULL AND m.served_fingerprint_sha256 IS DISTINCT FROM v.fingerprint_sha256`,
  ]);
  return { violations, notifications, unread, awaitingApproval, drifted: drift.count };
}
