import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { HeartbeatRequest } from "#gen/certctl/v1/agent_work_pb.ts";
import { newestCheckpoint } from "../audit/checkpoints.ts";
import { type LeaseDecision, renewLeases } from "../jobs/lease.ts";
import { retriedKeySuffix } from "../jobs/retry-by-hand.ts";
import type { Database } from "../platform/database.ts";
import { storeHost } from "./host.ts";

/** A clock that is further off is off all the same; the column holds no more. */
const mostSkewMs = 2_000_000_000;

/** A replaced key stays this long after its successor was proven everywhere: until then a rollback needs it. */
const rollbackWindowHours = 24;

/** Notes that the agent is alive, renews its leases, and tells it which keys nothing needs any more. */
export async function heartbeat(
  db: Database,
  agentId: string,
  request: HeartbeatRequest,
  now: Date,
): Promise<{
  leases: LeaseDecision[];
  epochCurrent: boolean;
  destroyKeyIds: string[];
  auditCheckpoint: string;
}> {
  const [agent] = await db.$queryRaw<{ epoch: number }[]>`
    UPDATE agents SET last_heartbeat_at = now(), clock_skew_ms = ${skewOf(request, now)}
    WHERE id = ${agentId} RETURNING session_epoch AS epoch`;
  await storeHost(db, agentId, request.host);
  return {
    leases: await renewLeases(db, agentId, request.leases),
    epochCurrent: agent?.epoch === request.epoch,
    destroyKeyIds: await keysToDestroy(db, agentId, request.keyIds, now),
    auditCheckpoint: await checkpointToWitness(db),
  };
}

async function checkpointToWitness(db: Database): Promise<string> {
  const newest = await newestCheckpoint(db);
  return newest ? `${newest.seq}:${newest.hash.toString("hex")}` : "";
}

/** How far the agent's clock is ahead, less the time that the call took; null for an agent that does not say. */
function skewOf({ agentTime }: HeartbeatRequest, now: Date): number | null {
  if (!agentTime) return null;
  const skewMs = timestampMs(agentTime) - now.getTime();
  return Math.max(-mostSkewMs, Math.min(mostSkewMs, Math.round(skewMs)));
}

/**
 * Of the keys that an agent holds, those of jobs that ended without a certificate or go on with another key, and those
 * with a successor that has been proven on all the agent's targets for the rollback window. A key that the database does
 * not know is left alone: the database may be a restored backup.
 */
async function keysToDestroy(
  db: Database,
  agentId: string,
  keyIds: readonly string[],
  now: Date,
): Promise<string[]> {
  if (keyIds.length === 0) return [];
  const before = new Date(now.getTime() - rollbackWindowHours * 3_600_000);
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT held.id FROM unnest(${[...keyIds]}::text[]) AS held(id)
    JOIN jobs j ON j.id = regexp_replace(held.id, ${`${retriedKeySuffix}$`}, '')
    LEFT JOIN certificate_versions v ON v.key_id = held.id
    WHERE j.agent_id = ${agentId} AND (
      (v.id IS NULL AND (j.status IN ('Failed', 'Cancelled') OR j.key_id <> held.id))
      OR NOT EXISTS (
        SELECT 1 FROM jobs d WHERE d.version_id = v.id AND d.type = 'Deployment' AND d.status IN ('Pending', 'Running')
      ) AND EXISTS (
        SELECT 1 FROM certificate_versions successor
        WHERE successor.certificate_id = v.certificate_id AND successor.agent_id = v.agent_id
          AND successor.created_at > v.created_at AND successor.created_at <= ${before}
          AND NOT EXISTS (
            SELECT 1 FROM certificate_target_mappings m
            JOIN deployment_targets t ON t.id = m.target_id
            LEFT JOIN certificate_versions proven ON proven.id = m.version_id
            WHERE m.certificate_id = v.certificate_id AND t.agent_id = v.agent_id
              AND (proven.created_at IS NULL OR proven.created_at < successor.created_at OR m.proven_at > ${before})
          )
      )
    )`;
  return rows.map(({ id }) => id);
}
