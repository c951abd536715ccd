import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type StatsService, SummarySchema } from "#gen/certctl/v1/stats_pb.ts";
import type { Database } from "../platform/database.ts";
import { countDays } from "./days.ts";
import { countAgents, countAttention, countCertificates, countJobs } from "./summary.ts";

const defaultDaysBack = 30;

export function statsService({
  db,
  clock,
}: {
  db: Database;
  clock: () => Date;
}): ServiceImpl<typeof StatsService> {
  return {
    async getSummary() {
      const now = clock();
      const [certificates, agents, jobs, attention] = await Promise.all([
        countCertificates(db, now),
        countAgents(db),
        countJobs(db, now),
        countAttention(db),
      ]);
      const summary = create(SummarySchema, {
        at: timestampFromDate(now),
        certificates: certificates.total,
        certificatesByStatus: certificates.status,
        certificatesBySchedule: certificates.schedule,
        certificatesByExpiry: certificates.expiry,
        certificatesByIssuer: certificates.issuer,
        certificatesByTeam: certificates.team,
        certificatesByEnvironment: certificates.environment,
        certificatesByKeyAlgorithm: certificates.keyAlgorithm,
        agentsByStatus: agents,
        jobsByStatus: jobs.status,
        failuresByClass: jobs.failureClass,
        violationsBySeverity: attention.violations,
        notificationsByStatus: attention.notifications,
        unreadNotifications: attention.unread,
        operationsAwaitingApproval: attention.awaitingApproval,
        targetsDrifted: attention.drifted,
      });
      return { summary };
    },
    async listDays({ back = defaultDaysBack, ahead }) {
      return { data: await countDays(db, { back, ahead, now: clock() }) };
    },
  };
}
