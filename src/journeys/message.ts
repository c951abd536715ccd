import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { FailureClassSchema, JobOutcomeSchema } from "#gen/certctl/v1/jobs_pb.ts";
import {
  JourneyAttemptSchema,
  JourneyCauseSchema,
  type Journey as JourneyMessage,
  JourneySchema,
  JourneyStageSchema,
  JourneyStateSchema,
  JourneyStepSchema,
  type JourneySummary,
  JourneySummarySchema,
  JourneyTrackSchema,
} from "#gen/certctl/v1/journeys_pb.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import type { Attempt, Stage, StepName } from "./course.ts";
import type { Journey, Track } from "./journey.ts";
import type { Summary } from "./list.ts";
import type { TrackJob } from "./store.ts";

const states = wordsOf(JourneyStateSchema);
const steps = wordsOf(JourneyStepSchema);
const causes = wordsOf(JourneyCauseSchema);
const outcomes = wordsOf(JobOutcomeSchema);
const failureClasses = wordsOf(FailureClassSchema);

export function journeyMessage(journey: Journey): JourneyMessage {
  const { trigger, expected } = journey;
  return create(JourneySchema, {
    certificateId: journey.certificateId,
    renewalId: journey.renewalId,
    state: states.value(journey.state),
    ...outcomeOf(journey),
    trigger: { ...trigger, cause: causes.value(trigger.cause), at: timestampFromDate(trigger.at) },
    ...timestamps({ startedAt: journey.startedAt, endedAt: journey.endedAt, at: journey.at }),
    keys: journey.keys.map((track) => trackMessage(track, expected.key)),
    lanes: journey.lanes.map((track) =>
      trackMessage(track, expected.lanes.get(track.job?.targetKind ?? track.target?.kind ?? "")),
    ),
  });
}

export function summaryMessage({ startedAt, endedAt, outcome, ...summary }: Summary): JourneySummary {
  return create(JourneySummarySchema, {
    ...summary,
    ...outcomeOf({ outcome }),
    state: states.value(summary.state),
    ...timestamps({ startedAt, endedAt }),
  });
}

function outcomeOf({ outcome }: Pick<Journey, "outcome">) {
  return outcome === null ? {} : { outcome: outcomes.value(outcome) };
}

function trackMessage({ job, target, course }: Track, expected: Map<StepName, number> | undefined) {
  const place = target && {
    agentId: target.agentId,
    agentName: target.agentName,
    targetId: target.id,
    targetName: target.name,
    targetKind: target.kind,
  };
  return create(JourneyTrackSchema, {
    ...place,
    ...(job ? jobFields(job, course.state === "Waiting") : {}),
    state: states.value(course.state),
    stages: course.stages.map((stage) => stageMessage(stage, expected)),
    attempts: course.attempts.map(attemptMessage),
    rolledBack: course.attempts.at(-1)?.isRolledBack ?? false,
  });
}

function jobFields(job: TrackJob, isWaiting: boolean) {
  return {
    jobId: job.id,
    agentId: job.agentId,
    agentName: job.agentName,
    targetId: job.targetId ?? "",
    targetName: job.targetName ?? "",
    targetKind: job.targetKind ?? "",
    maxAttempts: job.maxAttempts,
    ...timestamps({ nextAttemptAt: isWaiting ? job.runAfter : null }),
    ...(job.errorStep
      ? {
          error: {
            step: job.errorStep,
            message: job.errorMessage,
            failureClass: failureClasses.value(job.failureClass),
          },
        }
      : {}),
    versionId: job.versionId ?? "",
    serialNumber: job.serial ?? "",
    expectedFingerprintSha256: job.fingerprint ?? "",
    servedFingerprintSha256: job.servedFingerprint ?? "",
  };
}

function attemptMessage(attempt: Attempt) {
  return create(JourneyAttemptSchema, {
    number: attempt.number,
    state: states.value(attempt.state),
    ...timestamps({ startedAt: attempt.startedAt, endedAt: attempt.endedAt }),
    stages: attempt.stages.map((stage) => stageMessage(stage, undefined)),
    error: attempt.error,
    rolledBack: attempt.isRolledBack,
  });
}

function stageMessage(
  { step, state, startedAt, endedAt, message }: Stage,
  expected: Map<StepName, number> | undefined,
) {
  const expectedMs = expected?.get(step);
  return create(JourneyStageSchema, {
    step: steps.value(step),
    state: states.value(state),
    ...timestamps({ startedAt, endedAt }),
    message,
    ...(startedAt && endedAt ? { durationMs: Math.max(0, endedAt.getTime() - startedAt.getTime()) } : {}),
    ...(expectedMs === undefined ? {} : { expectedMs }),
  });
}
