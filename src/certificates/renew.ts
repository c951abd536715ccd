import { type Actor, recordAudit } from "../audit/record.ts";
import { createIssuance } from "../jobs/create.ts";
import { issuanceTypes, openStatuses } from "../jobs/state.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { conflict } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { lockLive } from "./lock.ts";

/** Renews a certificate now. Returns the ids of the jobs, one for each agent that is to make a key. */
export async function renewCertificate(
  deps: { db: Database; clock: () => Date },
  actor: Actor,
  id: string,
): Promise<string[]> {
  const { db, clock } = deps;
  return db.$transaction(async (tx) => {
    await lockLive(tx, actor, id);
    return openRenewal(tx, actor, id, { now: clock() });
  });
}

/**
 * Opens one job for each agent that is to make a key: keys are never shared between agents. The certificate's row is
 * locked. Returns the ids of the jobs, joined by one renewal id.
 */
export async function openRenewal(
  tx: Transaction,
  actor: Actor,
  id: string,
  { now, ...plan }: { now: Date; runAfter?: Date; isEarly?: boolean },
): Promise<string[]> {
  await requireEnabledIssuer(tx, id);
  const agentIds = await keyAgents(tx, id);
  const open = await tx.job.findFirst({
    where: { certificateId: id, type: { in: [...issuanceTypes] }, status: { in: [...openStatuses] } },
  });
  if (open) throw conflict("RENEWAL_OPEN", `certificate ${id} is being renewed by job ${open.id}`);
  const renewalId = newId("rn");
  const jobIds: string[] = [];
  for (const agentId of agentIds) {
    const earlier = await tx.certificateVersion.count({ where: { certificateId: id, agentId } });
    const type = earlier > 0 ? "Renewal" : "Issuance";
    const options = { type, certificateId: id, agentId, renewalId, now, ...plan } as const;
    jobIds.push(await createIssuance(tx, actor, options));
  }
  await recordAudit(tx, actor, {
    action: "certificate_renewal_requested",
    resourceType: "certificate",
    resourceId: id,
    details: { renewal_id: renewalId, job_ids: jobIds },
  });
  return jobIds;
}

async function requireEnabledIssuer(tx: Transaction, certificateId: string): Promise<void> {
  const issuer = await tx.issuer.findFirst({
    where: { enabled: false, certificates: { some: { id: certificateId } } },
  });
  if (!issuer) return;
  throw conflict(
    "ISSUER_DISABLED",
    `issuer ${issuer.id} of certificate ${certificateId} is disabled; enable it first`,
  );
}

/** The agents of the certificate's targets; without a target, the agent that it names. */
async function keyAgents(tx: Transaction, certificateId: string): Promise<string[]> {
  const targets = await tx.target.findMany({ where: { certificates: { some: { certificateId } } } });
  const ofTargets = [...new Set(targets.map(({ agentId }) => agentId))].sort();
  if (ofTargets.length > 0) return ofTargets;
  const { agentId } = await tx.managedCertificate.findUniqueOrThrow({ where: { id: certificateId } });
  if (agentId) return [agentId];
  const description = "set one of target_ids and agent_id";
  throw conflict(
    "NO_KEY_AGENT",
    `no agent makes the key of certificate ${certificateId}: it has neither target_ids nor agent_id`,
    [
      { field: "target_ids", description },
      { field: "agent_id", description },
    ],
  );
}
