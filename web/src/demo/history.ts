import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { ActorType, type AuditEvent, AuditEventSchema } from "#gen/certctl/v1/audit_pb.ts";
import {
  FailureClass,
  type Job,
  JobOutcome,
  JobSchema,
  JobStatus,
  JobType,
} from "#gen/certctl/v1/jobs_pb.ts";
import {
  type Notification,
  NotificationSchema,
  NotificationStatus,
  NotificationType,
} from "#gen/certctl/v1/notifications_pb.ts";
import type { Made } from "./certificates.ts";
import { silentHost } from "./estate.ts";
import { createRandom } from "./random.ts";

const dayMs = 86_400_000;

/** The job of every version, and a few that failed, each for a reason that happens. */
export function makeJobs(made: readonly Made[], now: Date): Job[] {
  const random = createRandom(11);
  const done = made.flatMap(({ certificate, versions }) =>
    versions.map((version) =>
      create(JobSchema, {
        id: version.jobId,
        type: JobType.RENEWAL,
        status: JobStatus.COMPLETED,
        outcome: JobOutcome.PROVEN,
        certificateId: certificate.id,
        certificateName: certificate.name,
        agentId: version.agentId,
        agentName: version.agentId.slice(3),
        versionId: version.id,
        renewalId: version.renewalId,
        attempts: 1,
        maxAttempts: 7,
        durationMs: random.between(280, 900),
        expectedMs: 420,
        createdAt: version.createdAt,
        startedAt: version.createdAt,
        completedAt: version.createdAt,
      } as never),
    ),
  );
  const reasons = [
    [
      FailureClass.TARGET,
      "config_test",
      'nginx: [emerg] unknown directive "ssl_stapeling" in /etc/nginx/conf.d/media.conf:14',
    ],
    [FailureClass.NETWORK, "proof", "connect ECONNREFUSED 127.0.0.1:443"],
    [FailureClass.CONFIGURATION, "entry", 'agent.yaml of web-2 has no target "main"'],
  ] as const;
  const failed = reasons.flatMap(([failureClass, step, message], reason) =>
    made.slice(reason * 3, reason * 3 + 2).map(({ certificate, versions }) => {
      const at = timestampFromDate(new Date(now.getTime() - random.between(1, 20) * 3_600_000));
      return create(JobSchema, {
        id: `job-${random.hex(12)}`,
        type: JobType.DEPLOYMENT,
        status: JobStatus.FAILED,
        certificateId: certificate.id,
        certificateName: certificate.name,
        agentId: versions[0]?.agentId ?? "",
        agentName: versions[0]?.agentId.slice(3) ?? "",
        targetId: certificate.targetIds[0] ?? "",
        targetName: certificate.targetIds[0]?.slice(4) ?? "",
        attempts: 5,
        maxAttempts: 5,
        error: { step, message, failureClass },
        timeline: [
          { at, step: "created", message: "by system", attempt: 1 },
          { at, step: "failed", message, attempt: 5 },
        ],
        createdAt: at,
        startedAt: at,
        completedAt: at,
      });
    }),
  );
  return [...done, ...failed];
}

/** What was told to people: the silent agent, and the thresholds that its certificates crossed, one after the other. */
export function makeNotifications(made: readonly Made[], now: Date): Notification[] {
  const random = createRandom(5);
  const base = {
    severity: "warning",
    notifierId: "nf-oncall",
    channel: "webhook",
    status: NotificationStatus.SENT,
    attempts: 1,
  };
  const crossed = made
    .filter(({ certificate }) => certificate.targetIds[0] === `tgt-${silentHost}`)
    .flatMap(({ certificate, versions }) => {
      const end = versions[0]?.notAfter ? timestampDate(versions[0].notAfter) : now;
      return [14, 7, 0]
        .filter((days) => end.getTime() - days * dayMs < now.getTime())
        .map((days) =>
          create(NotificationSchema, {
            ...base,
            id: `ntf-${random.hex(12)}`,
            type: NotificationType.CERTIFICATE_EXPIRING,
            certificateId: certificate.id,
            thresholdDays: days,
            subject: `${certificate.name} expires in ${days} days`,
            message: `Its renewal waits for the agent ${silentHost}, which is offline.`,
            thread: certificate.id,
            threadSize: 3,
            createdAt: timestampFromDate(new Date(end.getTime() - days * dayMs)),
          }),
        );
    });
  const offline = create(NotificationSchema, {
    ...base,
    id: `ntf-${random.hex(12)}`,
    type: NotificationType.AGENT_OFFLINE,
    agentId: `ag-${silentHost}`,
    subject: `Agent ${silentHost} is offline`,
    message: "It was not heard of for 3 minutes.",
    createdAt: timestampFromDate(new Date(now.getTime() - 11 * dayMs)),
  });
  return [offline, ...crossed];
}

/** The audit of what the versions came from. */
export function makeEvents(made: readonly Made[]): AuditEvent[] {
  const random = createRandom(3);
  return made
    .flatMap(({ certificate, versions }) =>
      versions.map((version) =>
        create(AuditEventSchema, {
          id: `audit-${random.hex(12)}`,
          ...(version.createdAt && { timestamp: version.createdAt }),
          actor: "system",
          actorType: ActorType.SYSTEM,
          action: "certificate_issued",
          resourceType: "certificate",
          resourceId: certificate.id,
          details: { serial_number: version.serialNumber, agent_id: version.agentId },
          hash: random.hex(64),
        }),
      ),
    )
    .sort((a, b) => Number(b.timestamp?.seconds ?? 0) - Number(a.timestamp?.seconds ?? 0))
    .map((event, index, all) => Object.assign(event, { seq: all.length - index }));
}
