import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { AgentStatusSchema } from "#gen/certctl/v1/agents_pb.ts";
import {
  type Certificate,
  CertificateScheduleSchema,
  CertificateStatusSchema,
  KeyAlgorithmSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { FailureClassSchema, JobStatus, JobStatusSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { PolicySeveritySchema } from "#gen/certctl/v1/policies_pb.ts";
import type { StatsService } from "#gen/certctl/v1/stats_pb.ts";
import { wordOfValue } from "../../status/words.ts";
import { liveCertificates } from "../refresh.ts";
import type { World } from "../world.ts";

const dayMs = 86_400_000;

export function statsDemo(world: World): Partial<ServiceImpl<typeof StatsService>> {
  return {
    getSummary() {
      const certificates = liveCertificates(world);
      const open = [...world.jobs.values()].filter(({ status }) => status !== JobStatus.COMPLETED);
      const failed = open.filter(({ status }) => status === JobStatus.FAILED);
      return {
        summary: {
          at: timestampFromDate(new Date()),
          certificates: certificates.length,
          certificatesByStatus: counts(
            certificates.map(({ status }) => wordOfValue(CertificateStatusSchema, status)),
          ),
          certificatesBySchedule: counts(
            certificates.map(({ schedule }) => wordOfValue(CertificateScheduleSchema, schedule)),
          ),
          certificatesByExpiry: counts(certificates.map(bucketOf)),
          certificatesByIssuer: counts(certificates.map(({ issuerId }) => issuerId)),
          certificatesByTeam: counts(certificates.map(({ teamId }) => teamId)),
          certificatesByEnvironment: counts(certificates.map(({ environment }) => environment)),
          certificatesByKeyAlgorithm: counts(
            certificates.map(({ keyAlgorithm }) => wordOfValue(KeyAlgorithmSchema, keyAlgorithm)),
          ),
          agentsByStatus: counts(
            [...world.agents.values()].map(({ status }) => wordOfValue(AgentStatusSchema, status)),
          ),
          jobsByStatus: counts(open.map(({ status }) => wordOfValue(JobStatusSchema, status))),
          failuresByClass: counts(
            failed.map(({ error }) => wordOfValue(FailureClassSchema, error?.failureClass ?? 0)),
          ),
          violationsBySeverity: counts(
            [...world.violations.values()].map(({ severity }) => wordOfValue(PolicySeveritySchema, severity)),
          ),
          unreadNotifications: [...world.notifications.values()].filter(({ read }) => !read).length,
          targetsDrifted: certificates.filter(({ deploymentsDrifted }) => deploymentsDrifted > 0).length,
        },
      };
    },
    listDays({ back = 30, ahead }) {
      const certificates = liveCertificates(world);
      const today = Math.floor(Date.now() / dayMs);
      const jobs = [...world.jobs.values()];
      const data = Array.from({ length: back + ahead + 1 }, (_, index) => {
        const day = today - back + index;
        const isOn = (at: Date | undefined) => at !== undefined && Math.floor(at.getTime() / dayMs) === day;
        const ended = jobs.filter((job) => job.completedAt && isOn(timestampDate(job.completedAt)));
        const done = ended.filter(({ status }) => status === JobStatus.COMPLETED).length;
        return {
          date: new Date(day * dayMs).toISOString().slice(0, 10),
          issued: done,
          deploymentsProven: done,
          deploymentsFailed: ended.length - done,
          expiring: certificates.filter(({ expiresAt }) => expiresAt && isOn(timestampDate(expiresAt)))
            .length,
          renewalsPlanned: certificates.filter(({ renewAt }) => renewAt && isOn(timestampDate(renewAt)))
            .length,
        };
      });
      return { data };
    },
  };
}

function counts(names: readonly string[]) {
  const found = new Map<string, number>();
  for (const name of names) found.set(name, (found.get(name) ?? 0) + 1);
  return [...found].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count);
}

function bucketOf({ expiresAt }: Certificate): string {
  if (!expiresAt) return "later";
  const days = (timestampDate(expiresAt).getTime() - Date.now()) / dayMs;
  if (days < 0) return "expired";
  const limit = [7, 14, 30, 60, 90].find((each) => days <= each);
  return limit === undefined ? "later" : `${limit}d`;
}
