import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Certificate, CertificateVersion } from "#gen/certctl/v1/certificates_pb.ts";
import { JobOutcome } from "#gen/certctl/v1/jobs_pb.ts";
import {
  type Journey,
  JourneyCause,
  JourneySchema,
  type JourneyStage,
  JourneyStageSchema,
  JourneyState,
  JourneyStep,
  type JourneyTrack,
} from "#gen/certctl/v1/journeys_pb.ts";
import type { World } from "./world.ts";

interface Plan {
  step: JourneyStep;
  ms: number;
  message: string;
}

export const keyPlan: readonly Plan[] = [
  { step: JourneyStep.KEY, ms: 40, message: "ECDSA-P256, kept on this agent" },
  { step: JourneyStep.CSR, ms: 30, message: "" },
  { step: JourneyStep.ORDER, ms: 60, message: "" },
  { step: JourneyStep.ISSUED, ms: 70, message: "" },
];

export const lanePlan: readonly Plan[] = [
  { step: JourneyStep.DELIVERED, ms: 30, message: "" },
  { step: JourneyStep.INSTALLED, ms: 40, message: "" },
  { step: JourneyStep.RELOADED, ms: 60, message: "nginx -s reload" },
  { step: JourneyStep.PROVEN, ms: 90, message: "three handshakes" },
];

/** The finished journey of a version. */
export function journeyOfVersion(
  world: World,
  certificate: Certificate,
  version: CertificateVersion,
): Journey {
  const start = timestampDate(version.createdAt as Timestamp);
  const journey = newJourney(world, certificate, {
    renewalId: version.renewalId,
    agentId: version.agentId,
    cause: JourneyCause.PLANNED,
    actor: "system",
    at: start,
  });
  let at = start.getTime();
  for (const track of [...journey.keys, ...journey.lanes]) {
    track.state = JourneyState.DONE;
    for (const stage of track.stages) {
      stage.state = JourneyState.DONE;
      stage.startedAt = timestampFromDate(new Date(at));
      stage.durationMs = (stage.expectedMs ?? 0) + (version.id.charCodeAt(4) % 9);
      at += stage.durationMs;
      stage.endedAt = timestampFromDate(new Date(at));
    }
  }
  for (const track of journey.keys)
    Object.assign(track, { versionId: version.id, serialNumber: version.serialNumber });
  for (const lane of journey.lanes) {
    lane.expectedFingerprintSha256 = version.fingerprintSha256;
    lane.servedFingerprintSha256 = version.fingerprintSha256;
  }
  journey.state = JourneyState.DONE;
  journey.outcome = journey.lanes.length > 0 ? JobOutcome.PROVEN : JobOutcome.ISSUED;
  journey.endedAt = timestampFromDate(new Date(at));
  return journey;
}

interface Begin {
  renewalId: string;
  agentId: string;
  cause: JourneyCause;
  actor: string;
  at: Date;
}

/** A journey of which nothing has happened yet. */
export function newJourney(
  world: World,
  certificate: Certificate,
  { renewalId, agentId, cause, actor, at }: Begin,
): Journey {
  const started = timestampFromDate(at);
  const agentName = world.agents.get(agentId)?.name ?? agentId;
  const reason = cause === JourneyCause.PLANNED ? "Its planned renewal was due" : "It was asked for";
  const lanes = certificate.targetIds.map((targetId) => {
    const target = world.targets.get(targetId);
    return {
      state: JourneyState.PENDING,
      agentId,
      agentName,
      targetId,
      targetName: target?.name ?? targetId,
      targetKind: target?.kind ?? "nginx",
      stages: lanePlan.map(toStage),
      maxAttempts: 7,
    };
  });
  return create(JourneySchema, {
    certificateId: certificate.id,
    renewalId,
    state: JourneyState.RUNNING,
    trigger: { cause, actor, at: started, reason },
    startedAt: started,
    keys: [{ state: JourneyState.PENDING, agentId, agentName, stages: keyPlan.map(toStage), maxAttempts: 7 }],
    lanes,
    at: started,
  });
}

function toStage({ step, ms, message }: Plan): JourneyStage {
  return create(JourneyStageSchema, { step, state: JourneyState.PENDING, expectedMs: ms, message });
}

/** Every stage in its order: the key's, then each lane's. */
export function stagesInOrder(journey: Journey): { track: JourneyTrack; stage: JourneyStage }[] {
  return [...journey.keys, ...journey.lanes].flatMap((track) =>
    track.stages.map((stage) => ({ track, stage })),
  );
}
