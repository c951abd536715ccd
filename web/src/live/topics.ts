/** A change that was told. */
export interface Change {
  topic: string;
  /** Empty: any of the topic. */
  id: string;
}

/**
 * What the answers of a service are made of, its own topic first. A service that is not here is made of the whole estate. By
 * name: the services' descriptors are for the pages that call them.
 */
export const madeOf: Readonly<Record<string, readonly string[]>> = {
  "certctl.v1.AgentService": ["agents", "targets", "jobs", "certificates"],
  "certctl.v1.ApiKeyService": ["api-keys"],
  "certctl.v1.AuditService": ["audit"],
  "certctl.v1.AuthorityService": ["authorities", "issuers", "certificates"],
  "certctl.v1.CertificateService": ["certificates", "jobs", "targets", "policies"],
  // What happens to a job or a target of a certificate is told as a change of the certificate, too.
  "certctl.v1.ExplanationService": [
    "certificates",
    "agents",
    "policies",
    "renewal-policies",
    "notifications",
    "notifiers",
    "operations",
    "issuers",
  ],
  "certctl.v1.IssuerService": ["issuers", "certificates"],
  "certctl.v1.JobService": ["jobs"],
  "certctl.v1.JourneyService": ["certificates"],
  "certctl.v1.NotificationService": ["notifications"],
  "certctl.v1.NotifierService": ["notifiers", "notifications"],
  "certctl.v1.OperationService": ["operations"],
  "certctl.v1.OwnerService": ["owners", "certificates"],
  "certctl.v1.PolicyService": ["policies"],
  "certctl.v1.RecoveredCertificateService": ["authorities"],
  "certctl.v1.RenewalPolicyService": ["renewal-policies"],
  "certctl.v1.RenewalService": ["certificates", "renewal-policies"],
  "certctl.v1.SavedViewService": ["saved-views", "certificates"],
  "certctl.v1.SchedulerService": ["scheduler"],
  "certctl.v1.SessionService": ["api-keys"],
  "certctl.v1.TargetService": ["targets", "certificates", "jobs", "agents"],
  "certctl.v1.TeamService": ["teams", "owners", "certificates"],
  "certctl.v1.TrustMapService": ["certificates", "targets", "jobs"],
};

/** What is shown by its own service alone. */
const besideTheEstate: readonly string[] = ["api-keys", "audit", "scheduler"];

/** Whether an answer of a call may be another after these changes. */
export function isConcerned(
  call: { service: string; input: Readonly<Record<string, unknown>> },
  changes: readonly Change[],
): boolean {
  const topics = madeOf[call.service];
  if (!topics) return changes.some(({ topic }) => !besideTheEstate.includes(topic));
  const { id } = call.input;
  return changes.some((change) => {
    if (!topics.includes(change.topic)) return false;
    const isOwn = change.topic === topics[0];
    return !(isOwn && typeof id === "string" && id !== "" && change.id !== "" && change.id !== id);
  });
}
