import type { DescService } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { ApiKeyService } from "#gen/certctl/v1/api_keys_pb.ts";
import { AuditService } from "#gen/certctl/v1/audit_pb.ts";
import { IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { NotificationService } from "#gen/certctl/v1/notifications_pb.ts";
import { NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { PolicyService } from "#gen/certctl/v1/policies_pb.ts";
import { RenewalPolicyService } from "#gen/certctl/v1/renewal_policies_pb.ts";
import { SavedViewService } from "#gen/certctl/v1/saved_views_pb.ts";
import type { SchedulerService } from "#gen/certctl/v1/scheduler_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { say } from "../changes.ts";
import { crud, listOf } from "../crud.ts";
import { countBy, liveCertificates } from "../refresh.ts";
import type { World } from "../world.ts";

const entrySchema = {
  type: "object",
  properties: {
    entry: { type: "string", title: "Entry", description: "The target's name in the agent's agent.yaml" },
  },
  required: ["entry"],
};

/** The resources that need no more than the contract's own shapes say, and what each has beside. */
export function resourcesDemo(world: World) {
  const simple = <S extends DescService>(
    service: S,
    noun: string,
    topic: string,
    rows: Map<string, never>,
    refresh?: (row: never) => void,
  ) =>
    crud(service, {
      noun,
      rows,
      onChange: (id: string) => say(world, topic, id),
      ...(refresh && { refresh }),
    }) as unknown as Partial<ServiceImpl<S>>;
  const rows = (map: Map<string, unknown>) => map as Map<string, never>;
  const counted = (field: "ownerId" | "teamId" | "issuerId" | "renewalPolicyId") =>
    ((row: { id: string; certificateCount: number }) => {
      row.certificateCount = countBy(liveCertificates(world), field, row.id);
    }) as (row: never) => void;
  return {
    teams: simple(TeamService, "Team", "teams", rows(world.teams), counted("teamId")),
    owners: simple(OwnerService, "Owner", "owners", rows(world.owners), counted("ownerId")),
    renewalPolicies: simple(
      RenewalPolicyService,
      "RenewalPolicy",
      "renewal-policies",
      rows(world.renewalPolicies),
      counted("renewalPolicyId"),
    ),
    savedViews: simple(SavedViewService, "SavedView", "saved-views", rows(world.savedViews)),
    apiKeys: simple(ApiKeyService, "ApiKey", "api-keys", rows(world.apiKeys)),
    issuers: {
      ...simple(IssuerService, "Issuer", "issuers", rows(world.issuers), counted("issuerId")),
      listIssuerKinds: () => ({
        data: [
          {
            kind: "local",
            title: "Local CA",
            configSchema: { type: "object", properties: {} },
            abilities: ["revoke"],
          },
        ],
      }),
      listServerCommands: () => ({ data: [] }),
      listIssuerOrders: () => ({ data: [] }),
      getIssuerBudget: () => ({ data: [] }),
      getIssuerAccount: () => ({}),
      changeIssuerAccountKey: () => ({}),
      closeIssuerAccount: () => ({}),
      setIssuerStandby: ({ id, ...wanted }) => {
        const issuer = world.issuers.get(id);
        if (!issuer) throw new ConnectError(`there is no issuer ${id}`, Code.NotFound);
        const standbyIssuerName = world.issuers.get(wanted.standbyIssuerId)?.name ?? "";
        Object.assign(issuer, wanted, { standbyIssuerName });
        return { issuer };
      },
      testIssuer: () => ({ ok: true, message: "a test certificate was signed" }),
    } as Partial<ServiceImpl<typeof IssuerService>>,
    targets: {
      ...simple(TargetService, "Target", "targets", rows(world.targets)),
      listTargetKinds: () => ({
        data: [
          { kind: "nginx", title: "nginx", configSchema: entrySchema },
          { kind: "files", title: "Files", configSchema: entrySchema },
        ],
      }),
    } as Partial<ServiceImpl<typeof TargetService>>,
    agents: {
      ...simple(AgentService, "Agent", "agents", rows(world.agents), ((agent: {
        id: string;
        targetCount: number;
        certificateCount: number;
      }) => {
        const targets = [...world.targets.values()]
          .filter(({ agentId }) => agentId === agent.id)
          .map(({ id }) => id);
        agent.targetCount = targets.length;
        agent.certificateCount = liveCertificates(world).filter(({ targetIds }) =>
          targetIds.some((id) => targets.includes(id)),
        ).length;
      }) as (row: never) => void),
      listJoinTokens: () => ({ data: [], total: 0, page: 1, perPage: 50 }),
    } as Partial<ServiceImpl<typeof AgentService>>,
    policies: {
      ...simple(PolicyService, "PolicyRule", "policies", rows(world.rules)),
      listPolicyViolations: (request) =>
        listOf(
          [...world.violations.values()],
          PolicyService.method.listPolicyViolations.input,
          request as never,
        ),
      listPolicyTypes: () => ({
        data: [
          {
            type: "CertificateLifetime",
            title: "Certificate lifetime",
            configSchema: {
              type: "object",
              properties: { max_days: { type: "integer", title: "Days at most" } },
            },
          },
        ],
      }),
    } as Partial<ServiceImpl<typeof PolicyService>>,
    notifications: simple(NotificationService, "Notification", "notifications", rows(world.notifications)),
    notifiers: {
      ...simple(NotifierService, "Notifier", "notifiers", rows(world.notifiers)),
      listNotifierKinds: () => ({
        data: [
          {
            kind: "webhook",
            title: "Webhook",
            configSchema: { type: "object", properties: { url: { type: "string" } } },
          },
        ],
      }),
    } as Partial<ServiceImpl<typeof NotifierService>>,
    scheduler: {
      listScheduledTasks: () => ({ data: [...world.tasks.values()] }),
    } as Partial<ServiceImpl<typeof SchedulerService>>,
    audit: {
      ...simple(AuditService, "AuditEvent", "audit", rows(world.events)),
      listAuditEvents: (request) =>
        listOf(
          [...world.events.values()].reverse(),
          AuditService.method.listAuditEvents.input,
          request as never,
        ),
      getAuditFacets: () => {
        const events = [...world.events.values()];
        const counts = (field: "action" | "resourceType" | "actor") =>
          Array.from(new Set(events.map((event) => event[field])), (name) => ({
            name,
            count: events.filter((event) => event[field] === name).length,
          }));
        return {
          facets: {
            actions: counts("action"),
            resourceTypes: counts("resourceType"),
            actors: counts("actor"),
          },
        };
      },
      getAuditStatus: () => ({ status: { sealed: world.events.size, unsealed: 0, lagSeconds: 0 } }),
      listAuditCheckpoints: () => ({
        data: [{ seq: world.events.size, count: world.events.size, time: timestampFromDate(new Date()) }],
        total: 1,
      }),
    } as Partial<ServiceImpl<typeof AuditService>>,
  };
}
