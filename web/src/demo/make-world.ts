import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { ApiKeyRole, ApiKeySchema, ApiKeyStatus } from "#gen/certctl/v1/api_keys_pb.ts";
import { NotifierSchema } from "#gen/certctl/v1/notifiers_pb.ts";
import {
  PolicyMode,
  PolicyRuleSchema,
  PolicySeverity,
  PolicyViolationSchema,
} from "#gen/certctl/v1/policies_pb.ts";
import { ScheduledTaskSchema } from "#gen/certctl/v1/scheduler_pb.ts";
import { makeCertificates } from "./certificates.ts";
import { makeAgents, makeIssuers, makeTargets } from "./estate.ts";
import { makeEvents, makeJobs, makeNotifications } from "./history.ts";
import { makeOwners, makeRenewalPolicies, makeTeams } from "./people.ts";
import { byId, type World } from "./world.ts";

const hourMs = 3_600_000;

/** The same estate for everybody, made relative to now, so that it never ages. */
export function makeWorld(now: Date): World {
  const old = new Date(now.getTime() - 300 * 24 * hourMs);
  const made = makeCertificates(now);
  const rule = create(PolicyRuleSchema, {
    id: "pr-lifetime",
    name: "TLS certificates live 47 days at most",
    type: "CertificateLifetime",
    config: { max_days: 47 },
    severity: PolicySeverity.WARNING,
    mode: PolicyMode.AUDIT,
    enabled: true,
    createdAt: timestampFromDate(old),
  });
  const violations = made
    .filter(({ certificate }) => certificate.validitySeconds > 47 * 86_400)
    .map(({ certificate }, index) =>
      create(PolicyViolationSchema, {
        id: `pv-${index + 1}`,
        ruleId: rule.id,
        ruleName: rule.name,
        certificateId: certificate.id,
        certificateName: certificate.name,
        severity: rule.severity,
        message: `lives ${certificate.validitySeconds / 86_400} days`,
        openedAt: timestampFromDate(new Date(now.getTime() - (index + 2) * 9 * hourMs)),
      }),
    );
  rule.openViolations = violations.length;
  return {
    teams: byId(makeTeams(old)),
    owners: byId(makeOwners(old)),
    issuers: byId(makeIssuers(now)),
    renewalPolicies: byId(makeRenewalPolicies(old)),
    agents: byId(makeAgents(now)),
    targets: byId(makeTargets(now)),
    certificates: byId(made.map(({ certificate }) => certificate)),
    versions: new Map(made.map(({ certificate, versions }) => [certificate.id, versions])),
    deployments: new Map(made.map(({ certificate, deployments }) => [certificate.id, deployments])),
    journeys: new Map(),
    jobs: byId(makeJobs(made, now)),
    operations: new Map(),
    operationItems: new Map(),
    notifications: byId(makeNotifications(made, now)),
    notifiers: byId([
      create(NotifierSchema, {
        id: "nf-oncall",
        name: "On-call",
        kind: "webhook",
        config: { url: "https://hooks.certctl.example/oncall", secret: "********" },
        enabled: true,
        createdAt: timestampFromDate(old),
      }),
    ]),
    rules: byId([rule]),
    violations: byId(violations),
    savedViews: new Map(),
    apiKeys: byId([
      create(ApiKeySchema, {
        id: "ak-demo",
        name: "demo",
        role: ApiKeyRole.ADMIN,
        status: ApiKeyStatus.ACTIVE,
        createdAt: timestampFromDate(old),
        lastUsedAt: timestampFromDate(now),
      }),
    ]),
    tasks: new Map(
      [
        ["renewals", "Begins the renewals that are due", 3_600, "2 renewals began"],
        ["jobs", "Finds work that nobody woke", 30, "nothing was stuck"],
        ["expiry-alerts", "Tells who has to know what ends", 3_600, "no threshold was crossed"],
      ].map(([name, title, intervalSeconds, lastResult]) => [
        String(name),
        create(ScheduledTaskSchema, {
          name: String(name),
          title: String(title),
          intervalSeconds: Number(intervalSeconds),
          lastResult: String(lastResult),
          runs: 4_000,
          lastDurationMs: 18,
          lastStartedAt: timestampFromDate(new Date(now.getTime() - 60_000)),
          nextRunAt: timestampFromDate(new Date(now.getTime() + 60_000)),
        }),
      ]),
    ),
    events: byId(makeEvents(made)),
    listeners: new Set(),
  };
}
