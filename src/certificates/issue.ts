import type { Issuer as IssuerRow, Job } from "#gen/prisma/client.ts";
import { system } from "../audit/record.ts";
import type { AskAgent } from "../challenges/ask-agent.ts";
import {
  type Issued,
  type IssueRequest,
  type Issuer,
  IssuerError,
  type Ordered,
  type SignedCertificate,
} from "../issuers/issuer.ts";
import { type IssuerKinds, openConfig } from "../issuers/manage.ts";
import { type HeldOrder, holdOrder } from "../issuers/order.ts";
import type { ToolDeps } from "../issuers/tools.ts";
import { lockJob } from "../jobs/lease.ts";
import { enqueue } from "../jobs/queue.ts";
import { type AttemptFailure, failAttempt } from "../jobs/retry.ts";
import { addEvent, notifyChange } from "../jobs/transition.ts";
import type { Database, Transaction } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";
import { readCsr } from "../x509/csr.ts";
import { askAtOnce, isOrdered, issuanceContext, requireIssuer } from "./ask-issuer.ts";
import { checkAnswer } from "./check-answer.ts";
import type { ReservedNames } from "./check-declaration.ts";
import { discard } from "./discard.ts";
import { attemptFailure } from "./failure.ts";
import { publish } from "./publish.ts";
import { signedCertificate } from "./signed.ts";
import { moveToStandby } from "./standby.ts";

export interface IssueDeps extends ToolDeps {
  reserved: ReservedNames;
  issuerKinds: IssuerKinds;
  askAgent: AskAgent;
  log: Log;
}

const leastPollMs = 1_000;
const mostPollMs = 86_400_000;
/** A person may have to approve an order; one that nobody does in this time ends. */
const mostOrderAgeMs = 30 * 86_400_000;

/**
 * Has the accepted CSR of a job signed and publishes the certificate. Done twice, or again after a crash at any point, it
 * makes one certificate.
 */
export async function issue(deps: IssueDeps, jobId: string, signal: AbortSignal): Promise<void> {
  const { db, clock, log } = deps;
  const job = await db.job.findUnique({
    where: { id: jobId },
    include: { issuer: true, certificate: { include: { issuer: true } } },
  });
  if (job?.status !== "Running" || !job.csr) return;
  const { certificate } = job;
  // The standby's, once the order went there.
  const row = job.issuer ?? certificate.issuer;
  try {
    const issuer = requireIssuer(deps.issuerKinds, row);
    const csr = readCsr(Buffer.from(job.csr));
    // As the agent asked and was granted: names that have changed since take effect at the next issuance.
    const sans = csr.sans.map(({ value }) => value);
    const request = {
      keyId: job.keyId,
      commonName: sans.includes(certificate.commonName) ? certificate.commonName : "",
      sans,
      csr: csr.der,
      validitySeconds: certificate.validitySeconds,
      now: clock(),
      replaces: await newestOf(db, job, row.id),
    };
    const answer = await ask(deps, job, { issuer, row, request }, signal);
    if (answer === null) return;
    // What certctl's own CA signed it has checked by itself.
    if (!issuer.isRepeatable) checkAnswer(answer, { spki: csr.spki, sans, now: clock() });
    const isWanted = await publish(deps, { job, issued: { ...answer, issuerId: row.id, sans } });
    if (!isWanted && !issuer.isRepeatable) await discard(deps, job, { issuer, row, issued: answer }, signal);
  } catch (error) {
    if (signal.aborted) return;
    log.warn({ err: error, jobId }, "an issuance failed");
    await fail(deps, job, attemptFailure(error, "sign"));
  }
}

/** What the issuer signed; null: it signs later, and the job is taken up again then. */
async function ask(
  deps: IssueDeps,
  job: Job,
  { issuer, row, request }: { issuer: Issuer; row: IssuerRow; request: IssueRequest },
  signal: AbortSignal,
): Promise<Issued | null> {
  const { db, sealer, clock } = deps;
  const { id: jobId, keyId } = job;
  const config = openConfig(sealer, row);
  const context = issuanceContext(deps, job, row.id, signal);
  if (issuer.isRepeatable) return askAtOnce(issuer, request, config, context);
  const held = await holdOrder(db, { issuerId: row.id, jobId, keyId }, clock);
  if (held instanceof Date) {
    await db.$transaction((tx) => enqueue(tx, "issue", jobId, held));
    return null;
  }
  await using order = held;
  const working = { ...context, order, signal: AbortSignal.any([signal, order.lost]) };
  const state = order.isWaiting ? await order.read() : null;
  const answer =
    state && issuer.orderStatus
      ? await issuer.orderStatus(state, request, config, working)
      : await issuer.issue(request, config, working);
  if (!isOrdered(answer)) return answer;
  await waitForOrder(deps, job, order, answer);
  return null;
}

/** Has the CA asked again when it said, or later; a new reason to wait is shown. */
async function waitForOrder(
  { db, clock }: IssueDeps,
  { id, agentId, keyId }: Job,
  order: HeldOrder,
  { reference, pollAfterMs, message }: Ordered,
): Promise<void> {
  const now = clock();
  if (now.getTime() - order.createdAt.getTime() > mostOrderAgeMs)
    throw new IssuerError(
      "order",
      `the CA has not signed order ${reference} in 30 days: ${message}`,
      "Refused",
    );
  const pollAt = new Date(now.getTime() + Math.min(Math.max(pollAfterMs, leastPollMs), mostPollMs));
  await db.$transaction(async (tx) => {
    const job = await lockJob(tx, id, agentId);
    const { message: before } = await tx.issuerOrder.findUniqueOrThrow({ where: { id: order.id } });
    await tx.issuerOrder.update({
      where: { id: order.id },
      data: { reference, message, pollAt, updatedAt: now },
    });
    if (job.status !== "Running" || job.keyId !== keyId) return;
    if (before !== message) {
      await addEvent(tx, job, "ordered", `${reference}: ${message}`);
      await notifyChange(tx, job);
    }
    await enqueue(tx, "issue", id, pollAt);
  });
}

/** The newest version that this issuer signed for the certificate with a key of the same agent. */
async function newestOf(
  db: Database,
  { certificateId, agentId }: Job,
  issuerId: string,
): Promise<SignedCertificate | null> {
  const version = await db.certificateVersion.findFirst({
    where: { certificateId, agentId, issuerId },
    orderBy: { createdAt: "desc" },
    select: { pemChain: true, rootPem: true },
  });
  return version && signedCertificate(version);
}

async function fail(deps: IssueDeps, { id, agentId, keyId }: Job, failure: AttemptFailure): Promise<void> {
  await deps.db.$transaction(async (tx: Transaction) => {
    const job = await lockJob(tx, id, agentId);
    if (job.status !== "Running" || job.keyId !== keyId) return;
    const isMoved = await moveToStandby(tx, deps, job, failure);
    if (!isMoved) await failAttempt(tx, system, job, failure, deps.clock());
  });
}
