import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { createRouterTransport, type Transport } from "@connectrpc/connect";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { ApiKeyRole, ApiKeyService } from "#gen/certctl/v1/api_keys_pb.ts";
import { AuditService } from "#gen/certctl/v1/audit_pb.ts";
import { AuthorityService } from "#gen/certctl/v1/authorities_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { EventService } from "#gen/certctl/v1/events_pb.ts";
import { ExplanationService } from "#gen/certctl/v1/explain_pb.ts";
import { IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { JourneyService } from "#gen/certctl/v1/journeys_pb.ts";
import { NotificationService } from "#gen/certctl/v1/notifications_pb.ts";
import { NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { OperationService } from "#gen/certctl/v1/operations_pb.ts";
import { OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { PolicyService } from "#gen/certctl/v1/policies_pb.ts";
import { RecoveredCertificateService } from "#gen/certctl/v1/recovered_certificates_pb.ts";
import { RenewalPolicyService } from "#gen/certctl/v1/renewal_policies_pb.ts";
import { RenewalService } from "#gen/certctl/v1/renewals_pb.ts";
import { SavedViewService } from "#gen/certctl/v1/saved_views_pb.ts";
import { SchedulerService } from "#gen/certctl/v1/scheduler_pb.ts";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { StatsService } from "#gen/certctl/v1/stats_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { TrustMapService } from "#gen/certctl/v1/trust_map_pb.ts";
import { watch } from "./changes.ts";
import { makeWorld } from "./make-world.ts";
import { leaveDemo } from "./mode.ts";
import { permissions } from "./permissions.ts";
import { authoritiesDemo } from "./services/authorities.ts";
import { certificatesDemo } from "./services/certificates.ts";
import { inboxDemo } from "./services/inbox.ts";
import { explanationsDemo, journeysDemo } from "./services/journeys.ts";
import { renewalsDemo } from "./services/renewals.ts";
import { resourcesDemo } from "./services/resources.ts";
import { statsDemo } from "./services/stats.ts";
import { trustMapDemo } from "./services/trust-map.ts";
import { jobsDemo, operationsDemo } from "./services/work.ts";
import { tellStory } from "./story.ts";

/**
 * The contract's services in the browser, on data that is made up: a page cannot tell them from a control plane. Nothing is
 * kept, and nothing leaves the browser.
 */
export function createDemoTransport(): Transport {
  const world = makeWorld(new Date());
  const resources = resourcesDemo(world);
  tellStory(world);
  return createRouterTransport((router) => {
    router.service(SessionService, {
      getSession: () => ({
        session: {
          principalId: "ak-demo",
          name: "Demo",
          role: ApiKeyRole.ADMIN,
          permissions: [...permissions],
          server: {
            version: "demo",
            time: timestampFromDate(new Date()),
            keygenMode: "agent",
            authType: "none",
          },
        },
      }),
      deleteSession() {
        leaveDemo();
        return {};
      },
    });
    router.service(EventService, { watch: (_, { signal }) => watch(world, signal) });
    router.service(CertificateService, certificatesDemo(world));
    router.service(JourneyService, journeysDemo(world));
    router.service(ExplanationService, explanationsDemo(world));
    router.service(JobService, jobsDemo(world));
    router.service(OperationService, operationsDemo(world));
    router.service(StatsService, statsDemo(world));
    router.service(AgentService, resources.agents);
    router.service(TargetService, resources.targets);
    router.service(IssuerService, resources.issuers);
    router.service(AuthorityService, authoritiesDemo(world));
    // Its database was never restored.
    const noneRecovered = { data: [], total: 0, page: 1, perPage: 50 };
    router.service(RecoveredCertificateService, { listRecoveredCertificates: () => noneRecovered });
    router.service(TeamService, resources.teams);
    router.service(OwnerService, resources.owners);
    router.service(PolicyService, resources.policies);
    router.service(RenewalPolicyService, resources.renewalPolicies);
    router.service(NotificationService, { ...resources.notifications, ...inboxDemo(world) });
    router.service(RenewalService, renewalsDemo(world));
    router.service(TrustMapService, trustMapDemo(world));
    router.service(NotifierService, resources.notifiers);
    router.service(SavedViewService, resources.savedViews);
    router.service(ApiKeyService, resources.apiKeys);
    router.service(SchedulerService, resources.scheduler);
    router.service(AuditService, resources.audit);
  });
}
