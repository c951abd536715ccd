import type { Database } from "../platform/database.ts";
import { pageOf } from "../platform/paging.ts";
import { lastEnd } from "./journey.ts";
import { jobsOf, renewalsOf, type TrackJob } from "./store.ts";
import { type JourneyStateName, type OutcomeName, type Part, verdictOf } from "./verdict.ts";

/** A journey in one line. */
export interface Summary {
  renewalId: string;
  state: JourneyStateName;
  outcome: OutcomeName | null;
  startedAt: Date;
  endedAt: Date | null;
  keys: number;
  issued: number;
  targets: number;
  proven: number;
  /** "step: what happened" of the first job that failed. */
  error: string;
}

/** The journeys of a certificate, newest first. */
export async function listJourneys(
  db: Database,
  certificateId: string,
  request: { page: number; perPage: number },
  now: Date,
): Promise<{ rows: Summary[]; total: number; page: number; perPage: number }> {
  const { page, perPage, skip, take } = pageOf(request);
  const { ids, total } = await renewalsOf(db, certificateId, { skip, take });
  const jobs = await jobsOf(db, certificateId, ids);
  const rows = ids.map((id) =>
    summaryOf(
      id,
      jobs.filter(({ renewalId }) => renewalId === id),
      now,
    ),
  );
  return { rows, total, page, perPage };
}

function summaryOf(renewalId: string, jobs: readonly TrackJob[], now: Date): Summary {
  const parts = jobs.map((job) => partOf(job, now));
  const count = (kind: Part["kind"], state?: Part["state"]) =>
    parts.filter((part) => part.kind === kind && (state === undefined || part.state === state)).length;
  const verdict = verdictOf(parts);
  const broken = jobs.find(({ errorStep }) => errorStep !== "");
  return {
    ...verdict,
    renewalId,
    startedAt: jobs[0]?.createdAt ?? now,
    endedAt: verdict.outcome === null ? null : lastEnd(jobs),
    keys: count("key"),
    issued: count("key", "Done"),
    targets: count("lane"),
    proven: count("lane", "Done"),
    error: broken ? `${broken.errorStep}: ${broken.errorMessage}` : "",
  };
}

function partOf({ type, status, runAfter }: TrackJob, now: Date): Part {
  const kind = type === "Deployment" ? "lane" : "key";
  if (status === "Completed") return { kind, state: "Done" };
  if (status === "Failed" || status === "Cancelled") return { kind, state: status };
  return { kind, state: status === "Pending" && runAfter > now ? "Waiting" : "Running" };
}
