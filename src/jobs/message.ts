import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  FailureClassSchema,
  type Job,
  type JobCause,
  JobCauseSchema,
  JobEventSchema,
  JobOutcomeSchema,
  JobSchema,
  JobStatusSchema,
  JobTypeSchema,
} from "#gen/certctl/v1/jobs_pb.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import type { Cause } from "./causes.ts";
import type { JobView, TimelineEvent } from "./view.ts";
import { waitingFor } from "./waiting.ts";

export const typeWords = wordsOf(JobTypeSchema);
export const statusWords = wordsOf(JobStatusSchema);
export const failureClassWords = wordsOf(FailureClassSchema);
const outcomeWords = wordsOf(JobOutcomeSchema);

/** A job as the API shows it. `expectedMs`: how long its type takes. */
export function jobMessage(
  view: JobView,
  timeline: readonly TimelineEvent[],
  { now, expected }: { now: Date; expected: ReadonlyMap<string, number> },
): Job {
  const expectedMs = expected.get(view.type);
  return create(JobSchema, {
    id: view.id,
    type: typeWords.value(view.type),
    status: statusWords.value(view.status),
    ...(view.outcome ? { outcome: outcomeWords.value(view.outcome) } : {}),
    certificateId: view.certificateId,
    certificateName: view.certificateName,
    agentId: view.agentId,
    agentName: view.agentName,
    targetId: view.targetId ?? "",
    targetName: view.targetName ?? "",
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
    ...timestamps({ startedAt: view.startedAt, completedAt: view.completedAt }),
    issuerId: view.issuerId ?? "",
    issuerName: view.issuerName ?? "",
    waitingFor: waitingFor(view, now),
    ...durationOf(view),
    ...(expectedMs === undefined ? {} : { expectedMs }),
  });
}

export function causeMessage({ type, failureClass, firstAt, lastAt, ...cause }: Cause): JobCause {
  return create(JobCauseSchema, {
    ...cause,
    type: typeWords.value(type),
    failureClass: failureClassWords.value(failureClass),
    ...timestamps({ firstAt, lastAt }),
  });
}

function durationOf({ startedAt, completedAt }: JobView) {
  if (!startedAt || !completedAt) return {};
  return { durationMs: Math.max(0, completedAt.getTime() - startedAt.getTime()) };
}

function errorOf({ errorStep: step, errorMessage, failureClass }: JobView) {
  return { step, message: errorMessage, failureClass: failureClassWords.value(failureClass) };
}

function leaseOf({ leaseEpoch, deliveredAt, acknowledgedAt }: JobView, expiresAt: Date) {
  return {
    sessionEpoch: leaseEpoch ?? 0,
    expiresAt: timestampFromDate(expiresAt),
    ...timestamps({ deliveredAt, acknowledgedAt }),
  };
}
