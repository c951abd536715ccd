import { type Actor, recordAudit } from "../audit/record.ts";
import { createValidation } from "../jobs/create.ts";
import type { Database } from "../platform/database.ts";
import { boundTargets, currentVersion } from "./deploy.ts";
import { lockLive } from "./lock.ts";

/**
 * Has the agents look at what the targets of a certificate serve. What was last proven there is what is expected; before
 * the first proof, the current version. A look that is under way already is not doubled. Returns the ids of the jobs.
 */
export async function validateCertificate(
  deps: { db: Database; clock: () => Date },
  actor: Actor,
  request: { id: string; targetIds: readonly string[] },
): Promise<string[]> {
  const { db, clock } = deps;
  const { id } = request;
  return db.$transaction(async (tx) => {
    await lockLive(tx, actor, id);
    const targets = await boundTargets(tx, id, request.targetIds);
    const jobIds: string[] = [];
    for (const target of targets) {
      const place = await tx.certificateTarget.findUniqueOrThrow({
        where: { certificateId_targetId: { certificateId: id, targetId: target.id } },
      });
      const versionId = place.versionId ?? (await currentVersion(tx, id, target.agentId))?.id ?? null;
      jobIds.push(await createValidation(tx, actor, { certificateId: id, target, versionId, now: clock() }));
    }
    await recordAudit(tx, actor, {
      action: "certificate_validation_requested",
      resourceType: "certificate",
      resourceId: id,
      details: { job_ids: jobIds },
    });
    return jobIds;
  });
}
