import { system } from "../audit/record.ts";
import { lockLive } from "../certificates/lock.ts";
import { openRenewal } from "../certificates/renew.ts";
import { openStatuses } from "../jobs/state.ts";
import type { Database } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";
import { renewalPauseHours } from "../renewals/due.ts";
import type { ScheduledTask } from "../scheduler/task.ts";

interface Canaries {
  db: Database;
  log: Log;
}

/** Renews each canary that its standby has not signed for as long as its issuer says. */
export async function renewCanaries({ db, log }: Canaries, now: Date, signal: AbortSignal): Promise<string> {
  const pausedSince = new Date(now.getTime() - renewalPauseHours * 3_600_000);
  const due = await db.$queryRaw<{ id: string }[]>`
    SELECT DISTINCT c.id FROM issuers i
    JOIN issuers standby ON standby.id = i.standby_issuer_id AND standby.enabled AND standby.archived_at IS NULL
    JOIN managed_certificates c ON c.id = i.canary_certificate_id AND c.archived_at IS NULL AND c.issuer_id = standby.id
    WHERE i.archived_at IS NULL
      AND NOT EXISTS (
        SELECT 1 FROM certificate_versions v WHERE v.certificate_id = c.id AND v.issuer_id = standby.id
          AND v.created_at > ${now}::timestamptz - i.canary_every_days * interval '1 day')
      AND NOT EXISTS (
        SELECT 1 FROM jobs j WHERE j.certificate_id = c.id AND j.type IN ('Issuance', 'Renewal')
          AND (j.status = ANY(${[...openStatuses]}::text[])
            OR (j.status IN ('Failed', 'Cancelled') AND j.completed_at > ${pausedSince})))`;
  let renewed = 0;
  for (const { id } of due) {
    if (signal.aborted) break;
    try {
      await db.$transaction(async (tx) => {
        await lockLive(tx, system, id);
        await openRenewal(tx, system, id, { now });
      });
      renewed += 1;
    } catch (error) {
      log.warn({ err: error, certificateId: id }, "a canary could not be renewed");
    }
  }
  return `${renewed} canaries renewed`;
}

/** The same as the scheduler runs it. */
export function canaryTask(deps: Canaries, everyMs: number): ScheduledTask {
  return {
    name: "canaries",
    title: "Has standby issuers sign, so that they are known to work",
    everyMs,
    run: (now, signal) => renewCanaries(deps, now, signal),
  };
}
