import { backoffMs } from "../jobs/retry.ts";
import type { FailureClass } from "../platform/failure.ts";
import { renewalPauseHours } from "../renewals/due.ts";

/** How many attempts fit into the time that is left, if every one of them fails like the last. */
export interface Runway {
  attempts: number;
  /** How many of them the open job makes. */
  ofOpenJob: number;
  firstAt: Date | null;
  lastAt: Date | null;
}

export interface RunwayInput {
  /** When the next attempt is made. */
  from: Date;
  until: Date;
  /** Attempts that the open job has made; null: none is open. */
  made: number | null;
  /** Attempts that a job has at most. */
  perJob: number;
  failureClass: FailureClass;
  /** Whether another job follows one that failed for good. */
  isRenewing: boolean;
}

const most = 1_000;

/** Reckoned with the longest waits: what chance takes off them makes room for more. Pure. */
export function runwayOf({ from, until, made, perJob, failureClass, isRenewing }: RunwayInput): Runway {
  const runway: Runway = { attempts: 0, ofOpenJob: 0, firstAt: null, lastAt: null };
  let at = from.getTime();
  let number = (made ?? 0) + 1;
  let isOpenJob = made !== null;
  while (at < until.getTime() && runway.attempts < most) {
    runway.attempts += 1;
    if (isOpenJob) runway.ofOpenJob += 1;
    runway.firstAt ??= new Date(at);
    runway.lastAt = new Date(at);
    const waitMs = number >= perJob ? null : backoffMs({ step: "", message: "", failureClass }, number, 0);
    if (waitMs === null && !isRenewing) break;
    at += waitMs ?? renewalPauseHours * 3_600_000;
    number = waitMs === null ? 1 : number + 1;
    if (waitMs === null) isOpenJob = false;
  }
  return runway;
}
