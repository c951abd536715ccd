import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  FailureClassSchema,
  type Job,
  JobEventSchema,
  JobOutcomeSchema,
  JobSchema,
  type JobService,
  JobStatusSchema,
  JobTypeSchema,
} from "#gen/certctl/v1/jobs_pb.ts";
import type { Grants } from "../auth/grants.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Bus } from "../platform/bus.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { Wakeup } from "../platform/wakeup.ts";
import { wordsOf } from "../platform/words.ts";
import { cancelJob } from "./cancel.ts";
import { retryJob } from "./retry-by-hand.ts";
import { findJob, type JobView, listJobs, type TimelineEvent, timelineOf } from "./view.ts";

const types = wordsOf(JobTypeSchema);
const statuses = wordsOf(JobStatusSchema);
const outcomes = wordsOf(JobOutcomeSchema);
const failureClassWords = wordsOf(FailureClassSchema);

/** A watcher looks again this often even if nothing woke it. */
const watchSweepMs = 5_000;

export function jobService(deps: {
  db: Database;
  bus: Bus;
  clock: () => Date;
}): ServiceImpl<typeof JobService> {
  const { db, bus } = deps;

  async function read(id: string, grants: Grants): Promise<Job> {
    const view = await findJob(db, grants, id);
    if (!view) throw notFound("job", id);
    // Read after the job: what a job shows as ended has its last step in the timeline.
    return message(view, await timelineOf(db, id));
  }

  return {
    async listJobs(request, context) {
      const { rows, ...page } = await listJobs(db, callerOf(context).grants, request, {
        ...request,
        statuses: request.status.map(statuses.text),
        types: request.type.map(types.text),
        failureClasses: request.failureClass.map(failureClassWords.text),
      });
      return { ...page, data: rows.map((row) => message(row, [])) };
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
        statuses: request.status.map(statuses.text),
        types: request.type.map(types.text),
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
  { db, bus }: { db: Database; bus: Bus },
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
      if (view && isWanted(view)) yield { job: message(view, await timelineOf(db, id)) };
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

function message(view: JobView, timeline: readonly TimelineEvent[]): Job {
  return create(JobSchema, {
    id: view.id,
    type: types.value(view.type),
    status: statuses.value(view.status),
    ...(view.outcome ? { outcome: outcomes.value(view.outcome) } : {}),
    certificateId: view.certificateId,
    agentId: view.agentId,
    targetId: view.targetId ?? "",
    versionId: view.versionId ?? "",
    parentJobId: view.parentJobId ?? "",
    childJobIds: view.childJobIds,
    renewalId: view.renewalId,
    attempts: view.attempts,
    maxAttempts: view.maxAttempts,
    runAfter: timestampFromDate(view.runAfter),
    ...(view.errorStep ? { error: errorOf(view) } : {}),
    ...(view.leaseExpiresAt ? { lease: leaseOf(view, view.leaseExpiresAt) } : {}),
    servedFingerprintSha256: view.servedFingerprint ?? "",
    timeline: timeline.map((event) => create(JobEventSchema, { ...event, at: timestampFromDate(event.at) })),
    createdAt: timestampFromDate(view.createdAt),
    ...(view.startedAt ? { startedAt: timestampFromDate(view.startedAt) } : {}),
    ...(view.completedAt ? { completedAt: timestampFromDate(view.completedAt) } : {}),
  });
}

function errorOf({ errorStep: step, errorMessage, failureClass }: JobView) {
  return { step, message: errorMessage, failureClass: failureClassWords.value(failureClass) };
}

function leaseOf({ leaseEpoch, deliveredAt, acknowledgedAt }: JobView, expiresAt: Date) {
  return {
    sessionEpoch: leaseEpoch ?? 0,
    expiresAt: timestampFromDate(expiresAt),
    ...(deliveredAt ? { deliveredAt: timestampFromDate(deliveredAt) } : {}),
    ...(acknowledgedAt ? { acknowledgedAt: timestampFromDate(acknowledgedAt) } : {}),
  };
}
