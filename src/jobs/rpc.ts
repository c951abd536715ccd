import type { ServiceImpl } from "@connectrpc/connect";
import type { Job, JobService } from "#gen/certctl/v1/jobs_pb.ts";
import type { Grants } from "../auth/grants.ts";
import { callerOf } from "../auth/interceptor.ts";
import { retryJobs } from "../operations/retry-jobs.ts";
import type { Bus } from "../platform/bus.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { Wakeup } from "../platform/wakeup.ts";
import { cancelJob } from "./cancel.ts";
import { listCauses } from "./causes.ts";
import { countJobs, expectedDurations } from "./counts.ts";
import { causeMessage, failureClassWords, jobMessage, statusWords, typeWords } from "./message.ts";
import { retryJob } from "./retry-by-hand.ts";
import { findJob, type JobView, listJobs, timelineOf } from "./view.ts";

/** How far causes look back when nobody says. */
const defaultHours = 24;
/** A watcher looks again this often even if nothing woke it. */
const watchSweepMs = 5_000;

export function jobService(deps: {
  db: Database;
  bus: Bus;
  clock: () => Date;
}): ServiceImpl<typeof JobService> {
  const { db, bus, clock } = deps;

  async function read(id: string, grants: Grants): Promise<Job> {
    const view = await findJob(db, grants, id);
    if (!view) throw notFound("job", id);
    // Read after the job: what a job shows as ended has its last step in the timeline.
    const timeline = await timelineOf(db, id);
    return jobMessage(view, timeline, { now: clock(), expected: await expectedDurations(db, [view.type]) });
  }

  const sinceOf = (hours: number) => new Date(clock().getTime() - (hours || defaultHours) * 3_600_000);

  return {
    async listJobs(request, context) {
      const { rows, ...page } = await listJobs(db, callerOf(context).grants, request, {
        ...request,
        statuses: request.status.map(statusWords.text),
        types: request.type.map(typeWords.text),
        failureClasses: request.failureClass.map(failureClassWords.text),
      });
      const expected = await expectedDurations(
        db,
        rows.map(({ type }) => type),
      );
      return { ...page, data: rows.map((row) => jobMessage(row, [], { now: clock(), expected })) };
    },
    countJobs(request, context) {
      return countJobs(db, callerOf(context).grants, {
        ...request,
        parentJobId: "",
        statuses: request.status.map(statusWords.text),
        types: request.type.map(typeWords.text),
        failureClasses: request.failureClass.map(failureClassWords.text),
      });
    },
    async listJobCauses({ hours, type }, context) {
      const wanted = { since: sinceOf(hours), types: type.map(typeWords.text) };
      return { data: (await listCauses(db, callerOf(context).grants, wanted)).map(causeMessage) };
    },
    retryJobs({ hours, dryRun: isDryRun, causeId, expectedJobs }, context) {
      const wanted = { causeId, since: sinceOf(hours), isDryRun, expectedJobs };
      return retryJobs(deps, callerOf(context), wanted);
    },
    async getJob({ id }, context) {
      return { job: await read(id, callerOf(context).grants) };
    },
    async *watchJob({ id }, context) {
      const { signal } = context;
      const { grants } = callerOf(context);
      using wakeup = new Wakeup(signal);
      using _subscription = bus.subscribe("job", (changed) => changed === id && wakeup.wake());
      let seen = "";
      for (;;) {
        const job = await read(id, grants);
        const state = `${job.status} ${job.outcome} ${job.attempts} ${job.timeline.length}`;
        if (state !== seen) yield { job };
        seen = state;
        if (job.outcome !== undefined || signal.aborted) return;
        await wakeup.wait(watchSweepMs);
      }
    },
    watchJobs(request, context) {
      const wanted = {
        ...request,
        statuses: request.status.map(statusWords.text),
        types: request.type.map(typeWords.text),
      };
      const isWanted = (view: JobView) => matches(view, wanted);
      return tail(deps, callerOf(context).grants, isWanted, context.signal);
    },
    async cancelJob({ id }, context) {
      await cancelJob(deps, callerOf(context), id);
      return { job: await read(id, callerOf(context).grants) };
    },
    async retryJob({ id }, context) {
      await retryJob(deps, callerOf(context), id);
      return { status: "accepted", jobId: id };
    },
  };
}

/** Jobs as they change. A change that was missed while the connection to the database was away is not made up for. */
async function* tail(
  { db, bus, clock }: { db: Database; bus: Bus; clock: () => Date },
  grants: Grants,
  isWanted: (view: JobView) => boolean,
  signal: AbortSignal,
): AsyncGenerator<{ job: Job }> {
  const changed = new Set<string>();
  using wakeup = new Wakeup(signal);
  using _subscription = bus.subscribe("job", (id) => {
    changed.add(id);
    wakeup.wake();
  });
  while (!signal.aborted) {
    const ids = [...changed];
    changed.clear();
    for (const id of ids) {
      const view = await findJob(db, grants, id);
      if (!view || !isWanted(view)) continue;
      const expected = await expectedDurations(db, [view.type]);
      yield { job: jobMessage(view, await timelineOf(db, id), { now: clock(), expected }) };
    }
    await wakeup.wait(watchSweepMs);
  }
}

function matches(
  view: JobView,
  wanted: { certificateId: string; agentId: string; statuses: string[]; types: string[] },
): boolean {
  return (
    (wanted.certificateId === "" || wanted.certificateId === view.certificateId) &&
    (wanted.agentId === "" || wanted.agentId === view.agentId) &&
    (wanted.statuses.length === 0 || wanted.statuses.includes(view.status)) &&
    (wanted.types.length === 0 || wanted.types.includes(view.type))
  );
}
