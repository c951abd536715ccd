import { reclaimFromRestarted } from "../jobs/reclaim.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Database, Transaction } from "../platform/database.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import { heartbeatStaleSeconds, isOnline } from "./view.ts";

/**
 * Finds agents that were lost and agents that are back. What a lost one held is given back, to wait for its return
 * without using an attempt, and people are told, once.
 */
export async function checkAgents(db: Database, now: Date): Promise<string> {
  // One that hung up a moment ago may only be restarting: its last heartbeat has to be old, too.
  const lost = await db.$queryRaw<{ id: string }[]>`
    SELECT a.id FROM agents a
    WHERE a.retired_at IS NULL AND a.offline_at IS NULL AND NOT ${isOnline}
      AND a.last_heartbeat_at < now() - ${heartbeatStaleSeconds} * interval '1 second'`;
  const back = await db.$queryRaw<{ id: string }[]>`
    SELECT a.id FROM agents a WHERE a.offline_at IS NOT NULL AND a.retired_at IS NULL AND ${isOnline}`;
  for (const { id } of lost) await db.$transaction((tx) => markLost(tx, id, now));
  for (const { id } of back) await db.$transaction((tx) => markBack(tx, id, now));
  return `${lost.length} agents lost, ${back.length} back`;
}

async function markLost(tx: Transaction, id: string, now: Date): Promise<void> {
  const { count } = await tx.agent.updateMany({ where: { id, offlineAt: null }, data: { offlineAt: now } });
  if (count === 0) return;
  await reclaimFromRestarted(tx, id, [], "lost");
  const { lastHeartbeatAt } = await tx.agent.findUniqueOrThrow({ where: { id } });
  await raiseEvent(
    tx,
    { type: "AgentOffline", agentId: id, lastSeenAt: lastHeartbeatAt, isBack: false },
    now,
  );
}

/** Ends the time that an agent was lost, if it was. */
export async function markBack(tx: Transaction, id: string, now: Date): Promise<void> {
  const { count } = await tx.agent.updateMany({
    where: { id, offlineAt: { not: null } },
    data: { offlineAt: null },
  });
  if (count === 0) return;
  const { lastHeartbeatAt } = await tx.agent.findUniqueOrThrow({ where: { id } });
  await raiseEvent(tx, { type: "AgentOffline", agentId: id, lastSeenAt: lastHeartbeatAt, isBack: true }, now);
}

/** The check as the scheduler runs it. */
export function agentHealthTask(db: Database, everyMs: number): ScheduledTask {
  return {
    name: "agents",
    title: "Finds agents that were lost, and what they held",
    everyMs,
    run: (now) => checkAgents(db, now),
  };
}
