import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Certificate, DeploymentSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { type Job, JobOutcome, JobSchema, JobStatus, JobType } from "#gen/certctl/v1/jobs_pb.ts";
import { type Journey, JourneyCause, JourneyState } from "#gen/certctl/v1/journeys_pb.ts";
import { makeVersion } from "./certificates.ts";
import { say } from "./changes.ts";
import { silentHost } from "./estate.ts";
import { newJourney, stagesInOrder } from "./journeys.ts";
import { createRandom } from "./random.ts";
import type { World } from "./world.ts";

/** Slower than the real thing, so that one can watch it. */
const stageMs = 600;

let next = 1;
const id = (prefix: string) => `${prefix}-demo${String(next++).padStart(8, "0")}`;

/** Renews a certificate before one's eyes. Answers the job's id. */
export function renew(world: World, certificate: Certificate, cause: JourneyCause, actor: string): string {
  const now = new Date();
  const agentId =
    world.targets.get(certificate.targetIds[0] ?? "")?.agentId || certificate.agentId || "ag-web-1";
  const renewalId = id("rn");
  const job = create(JobSchema, {
    id: id("job"),
    type: certificate.serialNumber ? JobType.RENEWAL : JobType.ISSUANCE,
    status: JobStatus.AWAITING_CSR,
    certificateId: certificate.id,
    certificateName: certificate.name,
    agentId,
    agentName: world.agents.get(agentId)?.name ?? agentId,
    renewalId,
    attempts: 1,
    maxAttempts: 7,
    createdAt: timestampFromDate(now),
    startedAt: timestampFromDate(now),
    expectedMs: 420,
    timeline: [{ at: timestampFromDate(now), step: "created", message: `by ${actor}`, attempt: 1 }],
  });
  const journey = newJourney(world, certificate, { renewalId, agentId, cause, actor, at: now });
  for (const track of journey.keys) track.jobId = job.id;
  world.jobs.set(job.id, job);
  world.journeys.set(certificate.id, [journey, ...(world.journeys.get(certificate.id) ?? [])]);
  certificate.activeJobId = job.id;
  if (agentId === `ag-${silentHost}`) job.waitingFor = `the agent ${silentHost}, which is offline`;
  else step(world, certificate, job, journey, 0);
  say(world, "certificates", certificate.id);
  say(world, "jobs", job.id);
  return job.id;
}

/** Takes one stage after the other. */
function step(world: World, certificate: Certificate, job: Job, journey: Journey, index: number): void {
  const stages = stagesInOrder(journey);
  const current = stages[index];
  if (!current) {
    finish(world, certificate, job, journey);
    return;
  }
  const { track, stage } = current;
  const start = new Date();
  stage.state = JourneyState.RUNNING;
  stage.startedAt = timestampFromDate(start);
  track.state = JourneyState.RUNNING;
  say(world, "jobs", job.id);
  setTimeout(() => {
    stage.state = JourneyState.DONE;
    stage.endedAt = timestampFromDate(new Date());
    stage.durationMs = Date.now() - start.getTime();
    if (track.stages.at(-1) === stage) track.state = JourneyState.DONE;
    step(world, certificate, job, journey, index + 1);
  }, stageMs);
}

function finish(world: World, certificate: Certificate, job: Job, journey: Journey): void {
  const now = new Date();
  const random = createRandom(now.getTime());
  const host = job.agentId.slice(3);
  const version = makeVersion(random, certificate.id, host, now, certificate.validitySeconds / 86_400, 0);
  const versions = world.versions.get(certificate.id) ?? [];
  for (const each of versions) each.current = false;
  version.number = (versions[0]?.number ?? 0) + 1;
  version.renewalId = journey.renewalId;
  version.jobId = job.id;
  world.versions.set(certificate.id, [version, ...versions]);
  world.deployments.set(
    certificate.id,
    certificate.targetIds.map((targetId) =>
      create(DeploymentSchema, {
        targetId,
        agentId: job.agentId,
        versionId: version.id,
        fingerprintSha256: version.fingerprintSha256,
        servedFingerprintSha256: version.fingerprintSha256,
        servedAt: timestampFromDate(now),
        targetName: world.targets.get(targetId)?.name ?? targetId,
        expectedVersionId: version.id,
        expectedVersionNumber: version.number,
        expectedFingerprintSha256: version.fingerprintSha256,
        proven: true,
        jobId: job.id,
      }),
    ),
  );
  for (const lane of journey.lanes) {
    lane.expectedFingerprintSha256 = version.fingerprintSha256;
    lane.servedFingerprintSha256 = version.fingerprintSha256;
  }
  journey.state = JourneyState.DONE;
  journey.outcome = JobOutcome.PROVEN;
  journey.endedAt = timestampFromDate(now);
  job.status = JobStatus.COMPLETED;
  job.outcome = JobOutcome.PROVEN;
  job.completedAt = timestampFromDate(now);
  if (job.startedAt) job.durationMs = now.getTime() - timestampDate(job.startedAt).getTime();
  job.timeline.push(
    ...["issued", "proven"].map((name) => ({ ...timelineEntry, at: timestampFromDate(now), step: name })),
  );
  certificate.activeJobId = "";
  say(world, "certificates", certificate.id);
  say(world, "jobs", job.id);
}

const timelineEntry = { $typeName: "certctl.v1.JobEvent", message: "", jobId: "", attempt: 1 } as const;

/** What goes on while one looks: a renewal now and then. */
export function tellStory(world: World): void {
  const online = [...world.certificates.values()].filter(
    ({ targetIds }) => targetIds[0] !== `tgt-${silentHost}`,
  );
  let turn = 0;
  const next = () => {
    const certificate = online[(turn++ * 7) % online.length];
    if (certificate && !certificate.activeJobId) renew(world, certificate, JourneyCause.PLANNED, "system");
  };
  setTimeout(next, 2_000);
  setInterval(next, 20_000);
}
