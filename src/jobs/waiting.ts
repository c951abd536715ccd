/** What says whom a job waits for. */
export interface WaitingJob {
  type: string;
  status: string;
  attempts: number;
  runAfter: Date;
  agentName: string;
  isAgentOnline: boolean;
  /** Null: nobody holds it. */
  leaseExpiresAt: Date | null;
  acknowledgedAt: Date | null;
  /** The CSR is there. */
  hasCsr: boolean;
  /** What the CA has its order wait for, in its words; empty where it did not leave it waiting. */
  orderMessage: string;
}

/** Whom or what an open job waits for, to follow "waits for": "agent web-1, which is offline". Empty when it is worked on. */
export function waitingFor(job: WaitingJob, now: Date): string {
  const { status, attempts, runAfter, agentName, isAgentOnline } = job;
  if (!["Pending", "AwaitingCSR", "Running"].includes(status)) return "";
  if (status === "Pending" && runAfter > now)
    return attempts > 0 ? "the time of its next attempt" : "its planned start";
  if (job.type === "Revocation") return "the CA to revoke it";
  if (job.hasCsr) return job.orderMessage ? `the CA, which says: ${job.orderMessage}` : "the CA to sign it";
  if (job.leaseExpiresAt && job.acknowledgedAt) return "";
  return isAgentOnline ? `agent ${agentName} to take it up` : `agent ${agentName}, which is offline`;
}
