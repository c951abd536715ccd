import type { Log } from "../platform/log.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import { type CrlDeps, dueCrls, rebuildCrl } from "./crl.ts";

/** Makes the CRLs anew that are missing, old, or lack what was revoked, and forgets OCSP answers that have ended. */
export async function refreshRevocationData(deps: CrlDeps & { log: Log }, now: Date): Promise<string> {
  const due = await dueCrls(deps.db, now);
  let failed = 0;
  for (const id of due) {
    try {
      await rebuildCrl(deps, id);
    } catch (error) {
      // One CA whose key cannot be reached keeps no other from its CRL.
      failed += 1;
      deps.log.error({ err: error, authorityId: id }, "a CRL could not be made");
    }
  }
  const { count } = await deps.db.ocspAnswer.deleteMany({ where: { nextUpdate: { lte: now } } });
  const made = `${due.length - failed} CRLs made, ${count} OCSP answers forgotten`;
  if (failed > 0) throw new Error(`${failed} CRLs could not be made; ${made}`);
  return made;
}

export function revocationDataTask(deps: CrlDeps & { log: Log }, everyMs: number): ScheduledTask {
  return {
    name: "revocation-data",
    title: "Makes CRLs before the last ones end",
    everyMs,
    run: (now) => refreshRevocationData(deps, now),
  };
}
