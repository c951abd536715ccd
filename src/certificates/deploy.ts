import { type Actor, recordAudit } from "../audit/record.ts";
import { createDeployment, resumeDeployment } from "../jobs/create.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { conflict, type FieldViolation, invalid, notFound } from "../platform/errors.ts";
import { lockLive } from "./lock.ts";

/** Opens deployments of the current version to these targets, where the target's agent has one. */
export async function deployCurrent(
  tx: Transaction,
  actor: Actor,
  certificateId: string,
  targetIds: readonly string[],
  now: Date,
): Promise<void> {
  const targets = await tx.target.findMany({ where: { id: { in: [...targetIds] } }, orderBy: { id: "asc" } });
  for (const target of targets) {
    const version = await currentVersion(tx, certificateId, target.agentId);
    if (version && version.notAfter > now && !version.revokedAt) {
      await createDeployment(tx, actor, { version, target, parentJobId: null }, now);
    }
  }
}

/**
 * Deploys a version again, or an older one as a rollback: to all targets of its agent, or to those named. Returns the
 * ids of the jobs.
 */
export async function deployCertificate(
  deps: { db: Database; clock: () => Date },
  actor: Actor,
  request: { id: string; versionId: string; targetIds: readonly string[] },
): Promise<string[]> {
  const { db, clock } = deps;
  const { id, versionId } = request;
  return db.$transaction(async (tx) => {
    await lockLive(tx, actor, id);
    const now = clock();
    const targets = await boundTargets(tx, id, request.targetIds);
    const jobIds: string[] = [];
    for (const target of targets) {
      const version = versionId
        ? await tx.certificateVersion.findFirst({ where: { id: versionId, certificateId: id } })
        : await currentVersion(tx, id, target.agentId);
      if (!version && versionId) throw notFound("version", versionId);
      if (!version)
        throw conflict(
          "NOT_ISSUED",
          `nothing was issued with a key of agent ${target.agentId} yet; renew first`,
        );
      if (version.agentId !== target.agentId) {
        throw conflict(
          "KEY_ELSEWHERE",
          `the key of ${version.id} lies on ${version.agentId}, target ${target.id} is ${target.agentId}'s`,
        );
      }
      if (version.revokedAt)
        throw conflict("REVOKED", `version ${version.id} was revoked at ${version.revokedAt.toISOString()}`);
      if (version.notAfter <= now)
        throw conflict("EXPIRED", `version ${version.id} expired at ${version.notAfter.toISOString()}`);
      const open = await resumeDeployment(tx, { versionId: version.id, target }, now);
      jobIds.push(open ?? (await createDeployment(tx, actor, { version, target, parentJobId: null }, now)));
    }
    const details = { version_id: versionId || null, job_ids: jobIds };
    await recordAudit(tx, actor, {
      action: "certificate_deploy_requested",
      resourceType: "certificate",
      resourceId: id,
      details,
    });
    return jobIds;
  });
}

/** The targets of a certificate, or those of them that are named. */
export async function boundTargets(tx: Transaction, certificateId: string, wanted: readonly string[]) {
  const bound = await tx.target.findMany({
    where: { certificates: { some: { certificateId } } },
    orderBy: { id: "asc" },
  });
  const violations: FieldViolation[] = wanted.flatMap((id, index) =>
    bound.some((target) => target.id === id)
      ? []
      : [
          {
            field: `target_ids[${index}]`,
            description: `${id} is no target of certificate ${certificateId}`,
          },
        ],
  );
  const [first, ...others] = violations;
  if (first) throw invalid(first, ...others);
  if (bound.length === 0) throw conflict("NO_TARGET", `certificate ${certificateId} has no target`);
  return wanted.length === 0 ? bound : bound.filter(({ id }) => wanted.includes(id));
}

/** The newest version under a key of this agent. */
export function currentVersion(tx: Transaction, certificateId: string, agentId: string) {
  return tx.certificateVersion.findFirst({
    where: { certificateId, agentId },
    orderBy: { createdAt: "desc" },
  });
}
