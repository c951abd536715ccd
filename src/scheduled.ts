import { agentHealthTask } from "./agents/health.ts";
import type { AuditKey } from "./audit/key.ts";
import { sealTask } from "./audit/seal.ts";
import { validationTask } from "./certificates/validation-schedule.ts";
import type { AskAgent } from "./challenges/ask-agent.ts";
import { challengesTask } from "./challenges/sweep.ts";
import type { Config } from "./config.ts";
import { canaryTask } from "./issuers/canary.ts";
import type { IssuerKinds } from "./issuers/manage.ts";
import type { ToolDeps } from "./issuers/tools.ts";
import { sweepTask } from "./jobs/sweep.ts";
import { expiryAlertsTask } from "./notifications/expiry-alerts.ts";
import { notificationsTask } from "./notifications/sweep.ts";
import { operationTask } from "./operations/run.ts";
import type { Log } from "./platform/log.ts";
import { policiesTask } from "./policies/inventory.ts";
import { renewalInformationTask } from "./renewal-information/poll.ts";
import { checkRenewals, renewalTask } from "./renewals/check.ts";
import { revocationDataTask } from "./revocation/task.ts";
import type { ScheduledTask } from "./scheduler/task.ts";
import { sessionsTask } from "./sessions/end.ts";

/** What the scheduler runs again and again, each on one replica at a time. */
export function scheduledTasks(
  deps: ToolDeps & { issuerKinds: IssuerKinds; askAgent: AskAgent; auditKey: AuditKey; log: Log },
  { everyMs, renewals }: Pick<Config, "everyMs" | "renewals">,
): ScheduledTask[] {
  const { db, sealer, issuing, egress, auditKey, clock, log } = deps;
  const renewing = { db, log, ...renewals };
  const renew = (now: Date, signal: AbortSignal) => checkRenewals(renewing, now, signal);
  return [
    renewalTask(renewing, everyMs.renewals),
    renewalInformationTask({ ...deps, renew }, everyMs.renewalInformation),
    canaryTask({ db, log }, everyMs.renewals),
    challengesTask(deps, everyMs.jobs),
    sweepTask(db, everyMs.jobs),
    operationTask(db, everyMs.jobs),
    validationTask(db, everyMs.validations),
    agentHealthTask(db, everyMs.agents),
    expiryAlertsTask(db, everyMs.expiryAlerts),
    notificationsTask({ db, sealer, egress, clock, log }, everyMs.notifications),
    sealTask({ db, key: auditKey, log }, everyMs.auditSeal),
    policiesTask(db, everyMs.policies),
    revocationDataTask({ db, issuing, clock, log }, everyMs.revocationData),
    sessionsTask(db, everyMs.sessions),
  ];
}
