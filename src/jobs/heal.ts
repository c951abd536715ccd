import { Prisma } from "#gen/prisma/client.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { expectedVersions } from "../certificates/expected.ts";
import type { Transaction } from "../platform/database.ts";
import { createDeployment } from "./create.ts";
import { openStatuses } from "./state.ts";

/** Whatever changes a place again within this time is not fought: two masters would reload its server in turns. */
const healAgainAfterMs = 86_400_000;

/**
 * Deploys again what a target is to have, where the certificate's renewal policy wants that. Answers in words what is done about
 * the drift; empty: nothing, and nothing was wanted.
 */
export async function heal(
  tx: Transaction,
  actor: Actor,
  { certificateId, targetId, healedAt }: { certificateId: string; targetId: string; healedAt: Date | null },
  now: Date,
): Promise<string> {
  const certificate = await tx.managedCertificate.findUniqueOrThrow({
    where: { id: certificateId },
    select: { archivedAt: true, renewalPolicy: { select: { healDrift: true } } },
  });
  if (certificate.archivedAt || !certificate.renewalPolicy.healDrift) return "";
  if (healedAt && now.getTime() - healedAt.getTime() < healAgainAfterMs)
    return `It was put right at ${healedAt.toISOString()}, and something changed it again: it is left to you.`;
  const [expected] = await tx.$queryRaw<{ versionId: string; agentId: string }[]>`
    SELECT version_id AS "versionId", agent_id AS "agentId"
    FROM (${expectedVersions(Prisma.sql`${certificateId}`)}) e WHERE target_id = ${targetId}`;
  if (!expected) return "";
  const version = await tx.certificateVersion.findUniqueOrThrow({ where: { id: expected.versionId } });
  if (version.revokedAt || version.notAfter <= now)
    return "It is not put right by itself: the version that belongs there is revoked or has ended.";
  const open = { type: "Deployment", targetId, status: { in: [...openStatuses] } };
  if ((await tx.job.count({ where: open })) > 0) return "A deployment to it is under way.";
  const target = { id: targetId, agentId: expected.agentId };
  const jobId = await createDeployment(tx, actor, { version, target, parentJobId: null }, now);
  await tx.certificateTarget.updateMany({ where: { certificateId, targetId }, data: { healedAt: now } });
  await recordAudit(tx, actor, {
    action: "drift_healing_started",
    resourceType: "certificate",
    resourceId: certificateId,
    details: { target_id: targetId, version_id: version.id, job_id: jobId },
  });
  return `It is put right by ${jobId}.`;
}
