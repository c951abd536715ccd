import { system } from "../audit/record.ts";
import { createValidation } from "../jobs/create.ts";
import type { Database } from "../platform/database.ts";
import type { ScheduledTask } from "../scheduler/task.ts";

const batch = 500;

/** Opens a validation for every target that nobody has looked at for `everyMs` since a version was proven there. */
export async function scheduleValidations(
  db: Database,
  now: Date,
  options: { everyMs: number; jitterMs: number; signal: AbortSignal },
): Promise<string> {
  const { everyMs, jitterMs, signal } = options;
  const before = new Date(now.getTime() - everyMs);
  const places = await db.$queryRaw<{ certificateId: string; targetId: string; versionId: string }[]>`
    SELECT m.certificate_id AS "certificateId", m.target_id AS "targetId", m.version_id AS "versionId"
    FROM certificate_target_mappings m
    JOIN managed_certificates c ON c.id = m.certificate_id AND c.archived_at IS NULL
    JOIN deployment_targets t ON t.id = m.target_id AND t.archived_at IS NULL
    WHERE m.version_id IS NOT NULL AND coalesce(m.served_at, m.proven_at) <= ${before}
      AND NOT EXISTS (
        SELECT 1 FROM jobs j WHERE j.target_id = m.target_id AND j.certificate_id = m.certificate_id
          AND j.status IN ('Pending', 'Running')
      )
    ORDER BY m.served_at LIMIT ${batch}`;
  let opened = 0;
  for (const { certificateId, targetId, versionId } of places) {
    if (signal.aborted) break;
    const runAfter = new Date(now.getTime() + Math.random() * jitterMs);
    const isOpened = await db.$transaction(async (tx) => {
      // Under the certificate's lock, as a person's is made: there is one at a time, and only where it is bound.
      const [place] = await tx.$queryRaw<{ generation: number; agentId: string }[]>`
        SELECT t.generation, t.agent_id AS "agentId" FROM managed_certificates c
        JOIN certificate_target_mappings m ON m.certificate_id = c.id AND m.target_id = ${targetId}
        JOIN deployment_targets t ON t.id = m.target_id
        WHERE c.id = ${certificateId} AND c.archived_at IS NULL FOR UPDATE OF c, m`;
      if (!place) return false;
      const target = { id: targetId, ...place };
      await createValidation(tx, system, { certificateId, target, versionId, now, runAfter });
      return true;
    });
    if (isOpened) opened += 1;
  }
  return `${opened} validations opened`;
}

/** The schedule as the scheduler runs it: often enough that no target waits much longer than it should. */
export function validationTask(db: Database, everyMs: number): ScheduledTask {
  const lookEveryMs = Math.max(1_000, Math.round(everyMs / 24));
  return {
    name: "validations",
    title: "Looks at what targets serve",
    everyMs: lookEveryMs,
    run: (now, signal) => scheduleValidations(db, now, { everyMs, jitterMs: lookEveryMs, signal }),
  };
}
