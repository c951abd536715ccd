import type { DescService } from "@bufbuild/protobuf";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { ApiKeyService } from "#gen/certctl/v1/api_keys_pb.ts";
import { AuditService } from "#gen/certctl/v1/audit_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { JourneyService } from "#gen/certctl/v1/journeys_pb.ts";
import { NotificationService } from "#gen/certctl/v1/notifications_pb.ts";
import { NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { OperationService } from "#gen/certctl/v1/operations_pb.ts";
import { OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { PolicyService } from "#gen/certctl/v1/policies_pb.ts";
import { RenewalPolicyService } from "#gen/certctl/v1/renewal_policies_pb.ts";
import { RenewalService } from "#gen/certctl/v1/renewals_pb.ts";
import { SavedViewService } from "#gen/certctl/v1/saved_views_pb.ts";
import { SchedulerService } from "#gen/certctl/v1/scheduler_pb.ts";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { TrustMapService } from "#gen/certctl/v1/trust_map_pb.ts";

/** A change that was told. */
export interface Change {
  topic: string;
  /** Empty: any of the topic. */
  id: string;
}

/** What the answers of a service are made of, its own topic first. A service that is not here is made of everything. */
const madeOf = new Map<string, readonly string[]>(
  (
    [
      [AgentService, ["agents", "targets", "jobs", "certificates"]],
      [ApiKeyService, ["api-keys"]],
      [AuditService, ["audit"]],
      [CertificateService, ["certificates", "jobs", "targets", "policies"]],
      [IssuerService, ["issuers", "certificates"]],
      [JobService, ["jobs"]],
      [JourneyService, ["jobs", "certificates", "targets"]],
      [NotificationService, ["notifications"]],
      [NotifierService, ["notifiers", "notifications"]],
      [OperationService, ["operations"]],
      [OwnerService, ["owners", "certificates"]],
      [PolicyService, ["policies"]],
      [RenewalPolicyService, ["renewal-policies"]],
      [RenewalService, ["certificates", "renewal-policies"]],
      [SavedViewService, ["saved-views", "certificates"]],
      [SchedulerService, ["scheduler"]],
      [SessionService, ["api-keys"]],
      [TargetService, ["targets", "certificates", "jobs", "agents"]],
      [TeamService, ["teams", "owners", "certificates"]],
      [TrustMapService, ["certificates", "targets", "jobs"]],
    ] satisfies [DescService, string[]][]
  ).map(([{ typeName }, topics]) => [typeName, topics]),
);

/** Whether an answer of a call may be another after these changes. */
export function isConcerned(
  call: { service: string; input: Readonly<Record<string, unknown>> },
  changes: readonly Change[],
): boolean {
  const topics = madeOf.get(call.service);
  if (!topics) return changes.length > 0;
  const { id } = call.input;
  return changes.some((change) => {
    if (!topics.includes(change.topic)) return false;
    const isOwn = change.topic === topics[0];
    return !(isOwn && typeof id === "string" && id !== "" && change.id !== "" && change.id !== id);
  });
}
