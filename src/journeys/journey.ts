import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { type Course, courseOf } from "./course.ts";
import { type Expectations, expectationsOf } from "./expected.ts";
import {
  coursesOf,
  jobsOf,
  renewalsOf,
  stepsOf,
  type TrackJob,
  targetsOf,
  type WaitingTarget,
} from "./store.ts";
import { type Trigger, triggerOf } from "./trigger.ts";
import { type JourneyStateName, type OutcomeName, verdictOf } from "./verdict.ts";

/** The part of a journey that one job goes through; a target whose certificate is not issued yet has no job. */
export interface Track {
  job: TrackJob | null;
  target: WaitingTarget | null;
  course: Course;
}

export interface Journey {
  certificateId: string;
  renewalId: string;
  state: JourneyStateName;
  outcome: OutcomeName | null;
  trigger: Trigger;
  startedAt: Date;
  endedAt: Date | null;
  keys: Track[];
  lanes: Track[];
  expected: Expectations;
  at: Date;
}

/** What is known of the certificate before its journey is read. */
export interface Traveller {
  id: string;
  issuerId: string;
}

/** The renewal that is named, or the newest. Throws NotFound for a certificate that was never to be issued. */
export async function renewalOf(db: Database, certificateId: string, renewalId: string): Promise<string> {
  if (renewalId !== "") return renewalId;
  const [newest] = (await renewalsOf(db, certificateId, { skip: 0, take: 1 })).ids;
  if (newest === undefined) throw notFound("a journey of certificate", certificateId);
  return newest;
}

/**
 * One journey with all its stages. `expected` is measured when it is left out; who watches hands back what the reading
 * before had.
 */
export async function readJourney(
  db: Database,
  certificate: Traveller,
  renewalId: string,
  options: { now: Date; expected?: Expectations },
): Promise<Journey> {
  const { now } = options;
  const jobs = await jobsOf(db, certificate.id, [renewalId]);
  const courses = await coursesOf(db, jobs, now);
  const tracks = jobs.map((job) => ({ job, target: null, course: courses.get(job.id) ?? unknown(job) }));
  const keys = tracks.filter(({ job }) => job.type !== "Deployment");
  const [first] = keys;
  if (!first) throw notFound("renewal", renewalId);
  const lanes = tracks.filter(({ job }) => job.type === "Deployment");
  const waiting = await waitingLanes(db, certificate.id, { keys, lanes, renewalId });
  const all = [...lanes, ...waiting];
  const kinds = all.flatMap(({ job, target }) => job?.targetKind ?? target?.kind ?? []);
  const verdict = verdictOf([
    ...keys.map(({ course }) => ({ kind: "key" as const, state: course.state })),
    ...all.map(({ course }) => ({ kind: "lane" as const, state: course.state })),
  ]);
  return {
    ...verdict,
    certificateId: certificate.id,
    renewalId,
    trigger: await triggerOf(
      db,
      { certificateId: certificate.id, renewalId },
      keys.map(({ job }) => job),
    ),
    startedAt: first.job.createdAt,
    endedAt: verdict.outcome === null ? null : lastEnd(jobs),
    keys,
    lanes: all,
    expected: options.expected ?? (await expectationsOf(db, { ...certificate, kinds })),
    at: now,
  };
}

/** The targets that will be deployed to once the certificate is issued, or would have been had the newest renewal not failed. */
async function waitingLanes(
  db: Database,
  certificateId: string,
  { keys, lanes, renewalId }: { keys: readonly Track[]; lanes: readonly Track[]; renewalId: string },
): Promise<Track[]> {
  if (keys.every(({ course }) => course.state === "Done")) return [];
  if ((await renewalOf(db, certificateId, "")) !== renewalId) return [];
  const targets = await targetsOf(db, certificateId);
  return targets.flatMap((target) => {
    const key = keys.find(({ job }) => job?.agentId === target.agentId);
    const isThere = lanes.some(({ job }) => job?.targetId === target.id);
    if (!key || key.course.state === "Done" || isThere) return [];
    const isOver = key.course.state === "Failed" || key.course.state === "Cancelled";
    const course = courseOf(stepsOf("Deployment"), [], { status: "Pending", isPlanned: false });
    return [{ job: null, target, course: { ...course, state: isOver ? "Skipped" : "Pending" } }];
  });
}

function unknown({ type, status }: TrackJob): Course {
  return courseOf(stepsOf(type), [], { status, isPlanned: false });
}

export function lastEnd(jobs: readonly Pick<TrackJob, "completedAt">[]): Date | null {
  const ends = jobs.flatMap(({ completedAt }) => (completedAt ? [completedAt.getTime()] : []));
  return ends.length === 0 ? null : new Date(Math.max(...ends));
}
