import type { Agent } from "#gen/certctl/v1/agents_pb.ts";
import type { ApiKey } from "#gen/certctl/v1/api_keys_pb.ts";
import type { AuditEvent } from "#gen/certctl/v1/audit_pb.ts";
import type { Certificate, CertificateVersion, Deployment } from "#gen/certctl/v1/certificates_pb.ts";
import type { WatchResponse } from "#gen/certctl/v1/events_pb.ts";
import type { Issuer } from "#gen/certctl/v1/issuers_pb.ts";
import type { Job } from "#gen/certctl/v1/jobs_pb.ts";
import type { Journey } from "#gen/certctl/v1/journeys_pb.ts";
import type { Notification } from "#gen/certctl/v1/notifications_pb.ts";
import type { Notifier } from "#gen/certctl/v1/notifiers_pb.ts";
import type { Operation, OperationItem } from "#gen/certctl/v1/operations_pb.ts";
import type { Owner } from "#gen/certctl/v1/owners_pb.ts";
import type { PolicyRule, PolicyViolation } from "#gen/certctl/v1/policies_pb.ts";
import type { RenewalPolicy } from "#gen/certctl/v1/renewal_policies_pb.ts";
import type { SavedView } from "#gen/certctl/v1/saved_views_pb.ts";
import type { ScheduledTask } from "#gen/certctl/v1/scheduler_pb.ts";
import type { Target } from "#gen/certctl/v1/targets_pb.ts";
import type { Team } from "#gen/certctl/v1/teams_pb.ts";

/** Everything that the demo knows, in the browser's memory: by id, as the API shows it. */
export interface World {
  teams: Map<string, Team>;
  owners: Map<string, Owner>;
  issuers: Map<string, Issuer>;
  renewalPolicies: Map<string, RenewalPolicy>;
  agents: Map<string, Agent>;
  targets: Map<string, Target>;
  certificates: Map<string, Certificate>;
  /** By certificate, newest first. */
  versions: Map<string, CertificateVersion[]>;
  /** By certificate. */
  deployments: Map<string, Deployment[]>;
  /** By certificate, newest first: those that began while one looked. */
  journeys: Map<string, Journey[]>;
  jobs: Map<string, Job>;
  operations: Map<string, Operation>;
  operationItems: Map<string, OperationItem[]>;
  notifications: Map<string, Notification>;
  notifiers: Map<string, Notifier>;
  rules: Map<string, PolicyRule>;
  violations: Map<string, PolicyViolation>;
  savedViews: Map<string, SavedView>;
  apiKeys: Map<string, ApiKey>;
  tasks: Map<string, ScheduledTask>;
  events: Map<string, AuditEvent>;
  /** Who is told of changes: the streams of EventService. */
  listeners: Set<(event: WatchResponse) => void>;
}

export function byId<Row extends { id: string }>(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}
