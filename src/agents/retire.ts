import { type Actor, recordAudit } from "../audit/record.ts";
import { cancelWithin } from "../jobs/cancel.ts";
import { openStatuses } from "../jobs/state.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { invalid, notFound } from "../platform/errors.ts";
import { inUse } from "../resources/in-use.ts";
import { endSessions } from "./end-sessions.ts";

export interface RetireDeps {
  db: Database;
  clock: () => Date;
}

/**
 * Takes an agent out of service: its credentials, tokens and stream end at once. What depends on it refuses that, unless
 * it is forced: then its open jobs are cancelled, its targets archived, and its certificates left without it. Retiring it
 * again changes nothing.
 */
export async function retireAgent(
  { db, clock }: RetireDeps,
  actor: Actor,
  { id, force, reason }: { id: string; force: boolean; reason: string },
): Promise<void> {
  if (force && reason.trim() === "")
    throw invalid({
      field: "reason",
      description: "say why the agent is retired with all that depends on it",
    });
  await db.$transaction(async (tx) => {
    const agent = await lockAgent(tx, id);
    if (agent.retiredAt) return;
    const now = clock();
    await holdDependants(tx, id);
    const dependants = await dependantsOf(tx, id);
    const counts = Object.entries(dependants).map(([name, ids]) => [name, ids.length] as const);
    if (!force && counts.some(([, count]) => count > 0)) throw keptBy(id, counts);
    await release(tx, actor, id, dependants, now);
    await endCredentials(tx, id, now);
    await tx.agent.update({ where: { id }, data: { retiredAt: now, offlineAt: null } });
    await recordAudit(tx, actor, {
      action: "agent_retired",
      resourceType: "agent",
      resourceId: id,
      details: { force, reason, ...Object.fromEntries(counts) },
    });
  });
}

/** Takes a retired agent back; it has to join anew. */
export async function restoreAgent({ db }: RetireDeps, actor: Actor, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const agent = await lockAgent(tx, id);
    if (!agent.retiredAt) return;
    await tx.agent.update({ where: { id }, data: { retiredAt: null } });
    await recordAudit(tx, actor, { action: "agent_restored", resourceType: "agent", resourceId: id });
  });
}

export async function renameAgent(
  { db }: RetireDeps,
  actor: Actor,
  { id, name }: { id: string; name: string },
): Promise<void> {
  await db.$transaction(async (tx) => {
    const before = await lockAgent(tx, id);
    await tx.agent.update({ where: { id }, data: { name } });
    await recordAudit(tx, actor, {
      action: "agent_updated",
      resourceType: "agent",
      resourceId: id,
      details: { before: { name: before.name }, after: { name } },
    });
  });
}

async function lockAgent(tx: Transaction, id: string): Promise<{ name: string; retiredAt: Date | null }> {
  const [agent] = await tx.$queryRaw<{ name: string; retiredAt: Date | null }[]>`
    SELECT name, retired_at AS "retiredAt" FROM agents WHERE id = ${id} FOR UPDATE`;
  if (!agent) throw notFound("agent", id);
  return agent;
}

/** Keeps what depends on the agent as it is: nothing is renewed, deployed or bound to its targets meanwhile. */
async function holdDependants(tx: Transaction, agentId: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM deployment_targets WHERE agent_id = ${agentId} ORDER BY id FOR UPDATE`;
  await tx.$queryRaw`
    SELECT c.id FROM managed_certificates c WHERE c.agent_id = ${agentId} OR EXISTS (
      SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
      WHERE m.certificate_id = c.id AND t.agent_id = ${agentId})
    ORDER BY c.id FOR UPDATE OF c`;
}

interface Dependants {
  targets: string[];
  certificates: string[];
  open_jobs: string[];
}

async function dependantsOf(tx: Transaction, agentId: string): Promise<Dependants> {
  const select = { id: true } as const;
  const live = { agentId, archivedAt: null };
  const [targets, certificates, jobs] = [
    await tx.target.findMany({ where: live, select }),
    await tx.managedCertificate.findMany({ where: live, select }),
    await tx.job.findMany({ where: { agentId, status: { in: [...openStatuses] } }, select }),
  ];
  const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id);
  return { targets: idsOf(targets), certificates: idsOf(certificates), open_jobs: idsOf(jobs) };
}

async function release(
  tx: Transaction,
  actor: Actor,
  agentId: string,
  { targets, certificates, open_jobs: jobs }: Dependants,
  now: Date,
): Promise<void> {
  for (const id of jobs) await cancelWithin(tx, actor, id, now);
  await tx.certificateTarget.deleteMany({ where: { targetId: { in: targets } } });
  await tx.target.updateMany({ where: { id: { in: targets } }, data: { archivedAt: now } });
  await tx.managedCertificate.updateMany({ where: { agentId }, data: { agentId: null } });
  const audit = (action: string, resourceType: string, resourceId: string) =>
    recordAudit(tx, actor, { action, resourceType, resourceId, details: { retired_agent_id: agentId } });
  for (const id of targets) await audit("target_archived", "target", id);
  for (const id of certificates) await audit("certificate_agent_removed", "certificate", id);
}

async function endCredentials(tx: Transaction, agentId: string, now: Date): Promise<void> {
  await tx.agentIdentity.updateMany({ where: { agentId, retiredAt: null }, data: { retiredAt: now } });
  await tx.apiKey.updateMany({ where: { agentId, revokedAt: null }, data: { revokedAt: now } });
  await tx.joinToken.updateMany({ where: { agentId, expiresAt: { gt: now } }, data: { expiresAt: now } });
  await endSessions(tx, agentId);
}

function keptBy(id: string, counts: (readonly [string, number])[]) {
  const spoken = Object.fromEntries(counts.map(([name, count]) => [name.replaceAll("_", " "), count]));
  return inUse(`agent ${id}`, spoken, "move them, or retire it with force");
}
