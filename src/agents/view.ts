import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database, Transaction } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";
import type { HostEntry } from "./host.ts";

export interface AgentView {
  id: string;
  name: string;
  status: string;
  problems: string[];
  hostname: string;
  version: string;
  capabilities: string[];
  targetCount: number;
  certificateCount: number;
  /** In its agent.yaml, each with the live target that uses it. */
  entries: (HostEntry & { targetId: string })[];
  openJobCount: number;
  lastHeartbeatAt: Date | null;
  identityExpiresAt: Date | null;
  offlineAt: Date | null;
  retiredAt: Date | null;
  createdAt: Date;
}

/** A replica whose heartbeat is older than this is gone, and with it its streams. */
const replicaStaleSeconds = 30;
/** An agent whose heartbeat is older than this is gone. */
export const heartbeatStaleSeconds = 150;
/** A clock that is further off than this makes new certificates look invalid to somebody. */
const mostClockSkewMs = 60_000;

/** Whether the agent `a` holds a work stream on a replica that lives, and its heartbeat is fresh. */
export const isOnline = Prisma.sql`(a.session_id IS NOT NULL
  AND a.last_heartbeat_at > now() - ${heartbeatStaleSeconds} * interval '1 second'
  AND EXISTS (SELECT 1 FROM replicas r WHERE r.id = a.replica_id
    AND r.heartbeat_at > now() - ${replicaStaleSeconds} * interval '1 second'))`;

/**
 * What ails an agent that is there: the last job that it ended failed, its agent.yaml is refused, its clock is off. What failed is told to those who
 * reach its certificate.
 */
const problems = (grants: Grants) => Prisma.sql`array_remove(ARRAY[
  CASE WHEN last_job.status = 'Failed'
    THEN 'its last work failed' || CASE WHEN ${grantedCertificate(grants, Prisma.sql`last_job.certificate_id`)}
      THEN ': ' || last_job.id || ': ' || last_job.error_step || ': ' || last_job.error_message ELSE '' END END,
  CASE WHEN a.host_problem <> '' THEN 'its agent.yaml is refused: ' || a.host_problem END,
  CASE WHEN abs(a.clock_skew_ms) > ${mostClockSkewMs}
    THEN 'its clock is ' || abs(a.clock_skew_ms) / 1000 || ' s ' || CASE WHEN a.clock_skew_ms > 0 THEN 'ahead' ELSE 'behind' END END
], NULL)`;

/** Agents with their status and problems, as a key with these grants sees them. */
export const agentViews = (grants: Grants) => Prisma.sql`
  SELECT known.*,
    CASE WHEN "retiredAt" IS NOT NULL THEN 'Retired' WHEN NOT "isThere" THEN 'Offline'
      WHEN cardinality(problems) > 0 THEN 'Degraded' ELSE 'Online' END AS status
  FROM (
    SELECT a.id, a.name, a.hostname, a.version, a.capabilities, a.last_heartbeat_at AS "lastHeartbeatAt",
      (SELECT max(i.not_after) FROM agent_identities i WHERE i.agent_id = a.id AND i.retired_at IS NULL)
        AS "identityExpiresAt",
      (SELECT count(*)::int FROM deployment_targets t WHERE t.agent_id = a.id AND t.archived_at IS NULL) AS "targetCount",
      (SELECT count(*)::int FROM managed_certificates c WHERE c.archived_at IS NULL AND (c.agent_id = a.id OR EXISTS (
        SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
        WHERE m.certificate_id = c.id AND t.agent_id = a.id))) AS "certificateCount",
      (SELECT coalesce(jsonb_agg(entry || jsonb_build_object('targetId', coalesce((
          SELECT t.id FROM deployment_targets t WHERE t.agent_id = a.id AND t.archived_at IS NULL
            AND t.kind = entry->>'kind' AND t.config->>'entry' = entry->>'name' ORDER BY t.id LIMIT 1), ''))
        ORDER BY entry->>'name'), '[]') FROM jsonb_array_elements(a.host_entries) entry) AS entries,
      (SELECT count(*)::int FROM jobs j WHERE j.agent_id = a.id AND j.status IN ('Pending', 'AwaitingCSR', 'Running'))
        AS "openJobCount",
      a.offline_at AS "offlineAt", a.retired_at AS "retiredAt", a.created_at AS "createdAt",
      ${isOnline} AS "isThere", ${problems(grants)} AS problems
    FROM agents a
    LEFT JOIN LATERAL (
      SELECT j.id, j.status, j.certificate_id, j.error_step, j.error_message FROM jobs j
      WHERE j.agent_id = a.id AND j.completed_at IS NOT NULL AND j.status IN ('Completed', 'Failed')
      ORDER BY j.completed_at DESC LIMIT 1
    ) last_job ON true
  ) known`;

const shape: Omit<ListShape, "view"> = {
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    name: { sql: Prisma.sql`name`, type: "text" },
    last_heartbeat_at: {
      sql: Prisma.sql`coalesce("lastHeartbeatAt", '-infinity'::timestamptz)`,
      type: "timestamptz",
    },
    status: { sql: Prisma.sql`status`, type: "text" },
  },
  defaultSort: "-created_at",
};

export async function findAgent(
  db: Database | Transaction,
  grants: Grants,
  id: string,
): Promise<AgentView | null> {
  const [view] = await db.$queryRaw<AgentView[]>`
    SELECT * FROM (${agentViews(grants)}) items WHERE id = ${id}`;
  return view ?? null;
}

export async function listAgents(
  db: Database,
  grants: Grants,
  request: ListRequest,
  { statuses, q }: { statuses: readonly string[]; q: string },
): Promise<ListedPage<AgentView>> {
  return listPage<AgentView>(db, { ...shape, view: agentViews(grants) }, request, [
    statuses.length > 0
      ? Prisma.sql`status = ANY(${[...statuses]}::text[])`
      : Prisma.sql`"retiredAt" IS NULL`,
    ...(q ? [contains(q, [Prisma.sql`name`, Prisma.sql`hostname`])] : []),
  ]);
}
