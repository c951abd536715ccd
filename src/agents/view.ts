import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";

export interface AgentView {
  id: string;
  name: string;
  status: string;
  hostname: string;
  version: string;
  capabilities: string[];
  lastHeartbeatAt: Date | null;
  identityExpiresAt: Date | null;
  createdAt: Date;
}

/** A replica whose heartbeat is older than this is gone, and with it its streams. */
const replicaStaleSeconds = 30;
const heartbeatStaleSeconds = 150;

const agentViews = Prisma.sql`
  SELECT a.id, a.name, a.hostname, a.version, a.capabilities, a.last_heartbeat_at AS "lastHeartbeatAt",
    (SELECT max(i.not_after) FROM agent_identities i WHERE i.agent_id = a.id AND i.retired_at IS NULL) AS "identityExpiresAt",
    a.created_at AS "createdAt",
    CASE WHEN a.session_id IS NOT NULL AND a.last_heartbeat_at > now() - ${heartbeatStaleSeconds} * interval '1 second'
      AND EXISTS (SELECT 1 FROM replicas r WHERE r.id = a.replica_id
        AND r.heartbeat_at > now() - ${replicaStaleSeconds} * interval '1 second')
      THEN 'Online' ELSE 'Offline' END AS status
  FROM agents a`;

export async function findAgent(db: Database, id: string): Promise<AgentView | null> {
  const [view] = await db.$queryRaw<AgentView[]>`${agentViews} WHERE a.id = ${id}`;
  return view ?? null;
}

export async function listAgents(
  db: Database,
  skip: number,
  take: number,
): Promise<{ total: number; rows: AgentView[] }> {
  const [total, rows] = await Promise.all([
    db.agent.count(),
    db.$queryRaw<AgentView[]>`${agentViews} ORDER BY a.created_at DESC, a.id LIMIT ${take} OFFSET ${skip}`,
  ]);
  return { total, rows };
}
