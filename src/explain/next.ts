import { Prisma } from "#gen/prisma/client.ts";
import { isOnline } from "../agents/view.ts";
import type { CertificateView } from "../certificates/view.ts";
import { isIssuance } from "../jobs/state.ts";
import { orderMessage } from "../jobs/view.ts";
import { type WaitingJob, waitingFor } from "../jobs/waiting.ts";
import type { Database } from "../platform/database.ts";
import { isFinalReason, renewalPauseHours } from "../renewals/due.ts";
import { inWords } from "./in-words.ts";

/** What happens next to a certificate. */
export interface NextAction {
  kind: "Renewal" | "Attempt" | "Deployment" | "Approval" | "Nothing";
  text: string;
  /** Null: it waits for somebody or something. */
  at: Date | null;
  jobId: string;
  operationId: string;
}

/** What of the database the next action depends on. */
export interface Ahead {
  openJobs: OpenJob[];
  /** When the last issuance that came to nothing ended, within the pause after it. */
  pausedUntil: Date | null;
  /** The operation that holds its early renewal for a person's yes. */
  heldBy: string | null;
  isIssuerEnabled: boolean;
}

export interface OpenJob extends WaitingJob {
  id: string;
  targetName: string | null;
  maxAttempts: number;
  failureClass: string;
}

export async function readAhead(db: Database, certificate: CertificateView, now: Date): Promise<Ahead> {
  const { id, issuerId } = certificate;
  const pauseMs = renewalPauseHours * 3_600_000;
  const [openJobs, [ended], [held], issuer] = await Promise.all([
    db.$queryRaw<OpenJob[]>`
      SELECT j.id, j.type, j.status, j.attempts, j.max_attempts AS "maxAttempts", j.run_after AS "runAfter",
        j.failure_class AS "failureClass", j.csr IS NOT NULL AS "hasCsr", ${orderMessage} AS "orderMessage", j.acknowledged_at AS "acknowledgedAt",
        CASE WHEN j.lease_expires_at > now() THEN j.lease_expires_at END AS "leaseExpiresAt", a.name AS "agentName",
        ${isOnline} AS "isAgentOnline", t.name AS "targetName"
      FROM jobs j JOIN agents a ON a.id = j.agent_id LEFT JOIN deployment_targets t ON t.id = j.target_id
      WHERE j.certificate_id = ${id} AND j.status IN ('Pending', 'AwaitingCSR', 'Running') AND j.type NOT IN ('Validation', 'Revocation')
      ORDER BY j.type = 'Deployment', j.run_after, j.id`,
    db.$queryRaw<{ status: string; completedAt: Date }[]>`
      SELECT status, completed_at AS "completedAt" FROM jobs
      WHERE certificate_id = ${id} AND type IN ('Issuance', 'Renewal') AND status IN ('Failed', 'Cancelled')
        AND completed_at > ${new Date(now.getTime() - pauseMs)}
      ORDER BY completed_at DESC LIMIT 1`,
    db.$queryRaw<{ id: string }[]>`
      SELECT o.id FROM operation_items i JOIN operations o ON o.id = i.operation_id
      WHERE i.certificate_id = ${id} AND i.status = 'Pending' AND o.status = 'AwaitingApproval' LIMIT 1`,
    db.issuer.findUnique({ where: { id: issuerId }, select: { enabled: true } }),
  ]);
  return {
    openJobs,
    pausedUntil: ended ? new Date(ended.completedAt.getTime() + pauseMs) : null,
    heldBy: held?.id ?? null,
    isIssuerEnabled: issuer?.enabled ?? false,
  };
}

/** What happens next, and when. `checkEveryMs`: how often certctl looks for what is due. Pure. */
export function nextAction(
  certificate: Pick<
    CertificateView,
    "archivedAt" | "expiresAt" | "renewAt" | "agentId" | "targetIds" | "issuerId" | "revocationReason"
  >,
  ahead: Ahead,
  { autoRenew, checkEveryMs, now }: { autoRenew: boolean; checkEveryMs: number; now: Date },
): NextAction {
  const { openJobs, pausedUntil, heldBy, isIssuerEnabled } = ahead;
  const { renewAt, expiresAt } = certificate;
  if (certificate.archivedAt) return nothing("It is archived; restore it to have it renewed");
  const [job] = openJobs;
  if (job) return ofJob(job, now);
  if (heldBy)
    return {
      ...nothing(`Its early renewal waits for a person's yes to the operation ${heldBy}`),
      kind: "Approval",
      operationId: heldBy,
    };
  if (!certificate.agentId && certificate.targetIds.length === 0)
    return nothing("No agent makes its key: give it a target or an agent");
  if (!isIssuerEnabled) return nothing(`Its issuer ${certificate.issuerId} is disabled: enable it`);
  if (!renewAt || !expiresAt) return nothing("It was never issued: renew it to have it issued");
  const { revocationReason } = certificate;
  if (isFinalReason(revocationReason))
    return nothing(
      `Its current version is revoked (${revocationReason}): archive it, or renew it to have it again`,
    );
  if (!autoRenew) return nothing("Its renewal policy leaves the renewal to people: renew it before its end");
  const wantedAt = revocationReason === "" ? renewAt : now;
  const at = new Date(Math.max(wantedAt.getTime(), pausedUntil?.getTime() ?? 0));
  const isDue = at <= now;
  const reason = pausedUntil && at > wantedAt ? " after the pause that follows a failed one" : "";
  const text = isDue
    ? `Its renewal is opened by the next check, within ${inWords(checkEveryMs)}`
    : `It is renewed in ${inWords(at.getTime() - now.getTime())}${reason}`;
  return { ...nothing(text), kind: "Renewal", at: isDue ? now : at };
}

function nothing(text: string): NextAction {
  return { kind: "Nothing", text, at: null, jobId: "", operationId: "" };
}

function ofJob(job: OpenJob, now: Date): NextAction {
  const what = isIssuance(job.type) ? "Its renewal" : `Its deployment to ${job.targetName ?? "its target"}`;
  const base = { ...nothing(""), jobId: job.id };
  if (job.status === "Pending" && job.runAfter > now) {
    const text = `${what} is tried again in ${inWords(job.runAfter.getTime() - now.getTime())}: attempt ${job.attempts + 1} of ${job.maxAttempts}`;
    return { ...base, kind: "Attempt", text, at: job.runAfter };
  }
  const waits = waitingFor(job, now);
  const text = waits ? `${what} waits for ${waits}` : `${what} is under way on agent ${job.agentName}`;
  return { ...base, kind: isIssuance(job.type) ? "Renewal" : "Deployment", text };
}

/** The open issuance, which the runway begins with. */
export function openIssuance({ openJobs }: Ahead): OpenJob | null {
  return openJobs.find(({ type }) => isIssuance(type)) ?? null;
}

/** The class of the last failure of the certificate's issuances. */
export async function lastFailureClass(db: Database, certificateId: string): Promise<string> {
  const [last] = await db.$queryRaw<{ failureClass: string }[]>(Prisma.sql`
    SELECT failure_class AS "failureClass" FROM jobs
    WHERE certificate_id = ${certificateId} AND type IN ('Issuance', 'Renewal') ORDER BY created_at DESC LIMIT 1`);
  return last?.failureClass ?? "";
}
