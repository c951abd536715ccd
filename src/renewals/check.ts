import { system } from "../audit/record.ts";
import { lockLive } from "../certificates/lock.ts";
import { openRenewal } from "../certificates/renew.ts";
import type { Database } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import { type DueCertificate, dueCertificates } from "./due.ts";
import { type EarlyBound, earlyAllowance, holdBack } from "./early.ts";

export interface RenewalDeps {
  db: Database;
  log: Log;
  /** Renewals are spread over this time, so that a fleet that was issued together is not renewed together. */
  jitterMs: number;
  early: EarlyBound;
}

/**
 * Opens a renewal for every certificate that is due. Early ones are bounded: what is more waits for a person's yes.
 * Run again, or by two replicas at once, it opens each once.
 */
export async function checkRenewals(deps: RenewalDeps, now: Date, signal: AbortSignal): Promise<string> {
  const { db, early } = deps;
  const due = await dueCertificates(db, now);
  const onTime = due.filter(({ isEarly }) => !isEarly);
  const ahead = due.filter(({ isEarly }) => isEarly);
  const allowance = await earlyAllowance(db, early, now);
  let opened = 0;
  let refused = 0;
  for (const certificate of [...onTime, ...ahead.slice(0, allowance)]) {
    if (signal.aborted) break;
    const outcome = await open(deps, certificate, now);
    if (outcome === "opened") opened += 1;
    if (outcome === "refused") refused += 1;
  }
  const held = signal.aborted ? 0 : await holdBack(db, ahead.slice(allowance), { allowance, now });
  return `${opened} renewals opened of ${due.length} due, ${held} held for a person's yes, ${refused} refused`;
}

async function open(
  { db, log, jitterMs }: RenewalDeps,
  { id }: DueCertificate,
  now: Date,
): Promise<"opened" | "passed" | "refused"> {
  try {
    return await db.$transaction(async (tx) => {
      await lockLive(tx, system, id);
      // Looked at again under the lock: it may have been renewed since the list was made.
      const [still] = await dueCertificates(tx, now, id);
      if (!still) return "passed";
      // What is revoked, or about to be, waits for nobody.
      const isUrgent = still.isRevoked || still.isPastWindow;
      const runAfter = new Date(now.getTime() + (isUrgent ? 0 : Math.random() * jitterMs));
      await openRenewal(tx, system, id, { now, runAfter, isEarly: still.isEarly });
      return "opened";
    });
  } catch (error) {
    log.warn({ err: error, certificateId: id }, "a renewal could not be opened");
    return "refused";
  }
}

/** The check as the scheduler runs it. */
export function renewalTask(deps: RenewalDeps, everyMs: number): ScheduledTask {
  return {
    name: "renewals",
    title: "Opens the renewals that are due",
    everyMs,
    run: (now, signal) => checkRenewals(deps, now, signal),
  };
}
