import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
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
import { pageOf } from "../platform/paging.ts";
import { Wakeup } from "../platform/wakeup.ts";
import { wordsOf } from "../platform/words.ts";
import { findJob, type JobView, listJobs, type TimelineEvent, timelineOf } from "./view.ts";

const types = wordsOf(JobTypeSchema);
const statuses = wordsOf(JobStatusSchema);
const outcomes = wordsOf(JobOutcomeSchema);

/** A watcher looks again this often even if nothing woke it. */
const watchSweepMs = 5_000;

export function jobService({ db, bus }: { db: Database; bus: Bus }): ServiceImpl<typeof JobService> {
  async function read(id: string, grants: Grants): Promise<Job> {
    const [view, timeline] = await Promise.all([findJob(db, grants, id), timelineOf(db, id)]);
    if (!view) throw notFound("job", id);
    return message(view, timeline);
  }

  return {
    async listJobs(request, context) {
      const { page, perPage, skip, take } = pageOf(request);
      const { total, rows } = await listJobs(db, callerOf(context).grants, {
        certificateId: request.certificateId,
        agentId: request.agentId,
        statuses: request.status.map(statuses.text),
        types: request.type.map(types.text),
        skip,
        take,
      });
      return { data: rows.map((row) => message(row, [])), total, page, perPage };
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
  };
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
    ...(view.errorStep ? { error: { step: view.errorStep, message: view.errorMessage } } : {}),
    timeline: timeline.map((event) => create(JobEventSchema, { ...event, at: timestampFromDate(event.at) })),
    createdAt: timestampFromDate(view.createdAt),
    ...(view.startedAt ? { startedAt: timestampFromDate(view.startedAt) } : {}),
    ...(view.completedAt ? { completedAt: timestampFromDate(view.completedAt) } : {}),
  });
}
