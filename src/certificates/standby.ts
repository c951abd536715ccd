import type { JsonObject } from "@bufbuild/protobuf";
import type { Issuer as IssuerRow } from "#gen/prisma/client.ts";
import { recordAudit, system } from "../audit/record.ts";
import { maskSecrets } from "../connectors/secrets.ts";
import type { IssuerKinds } from "../issuers/manage.ts";
import { advance } from "../jobs/advance.ts";
import { attemptsOf } from "../jobs/create.ts";
import type { LeasedJob } from "../jobs/lease.ts";
import type { AttemptFailure } from "../jobs/retry.ts";
import { addEvent, transition } from "../jobs/transition.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Transaction } from "../platform/database.ts";
import type { FailureClass } from "../platform/failure.ts";
import { issuerRefusal } from "../policies/issuer-refusal.ts";
import { type ReservedNames, refusalContext } from "./check-declaration.ts";

/** Another CA may do better at these; certctl's own faults and wrong configuration are for people. */
const counted: readonly FailureClass[] = ["Network", "RateLimited", "Refused"];

export interface StandbyDeps {
  issuerKinds: IssuerKinds;
  reserved: ReservedNames;
  clock: () => Date;
}

/**
 * After a failed attempt at a certificate's own issuer: gives the order to the standby, once the failures are as many as the
 * issuer says, with a fresh round of attempts. Key, CSR and job stay. False: the job goes on as it would.
 */
export async function moveToStandby(
  tx: Transaction,
  deps: StandbyDeps,
  job: LeasedJob,
  failure: AttemptFailure,
): Promise<boolean> {
  if (!counted.includes(failure.failureClass)) return false;
  const { issuerId, issuerFailures, keyId, certificateId } = await tx.job.update({
    where: { id: job.id },
    data: { issuerFailures: { increment: 1 } },
  });
  if (issuerId !== null) return false;
  const { issuer } = await tx.managedCertificate.findUniqueOrThrow({
    where: { id: certificateId },
    select: { issuer: { include: { standby: true } } },
  });
  const { standby } = issuer;
  if (!standby || issuerFailures < issuer.standbyAfter) return false;
  const obstacle =
    (await commitment(tx, deps, issuer, keyId)) ?? (await objection(tx, deps, standby, certificateId));
  if (obstacle !== null) {
    await addEvent(tx, job, "standby_refused", `${standby.name} is not asked: ${obstacle}`);
    return false;
  }
  const now = deps.clock();
  const { step, message } = failure;
  await transition(tx, job, "Pending", {
    issuerId: standby.id,
    issuerFailures: 0,
    maxAttempts: job.attempts + (await attemptsOf(tx, certificateId)),
    runAfter: now,
    leaseExpiresAt: null,
    errorStep: step,
    errorMessage: message,
    failureClass: failure.failureClass,
  });
  await addEvent(tx, job, "failed", `${step}: ${message}`);
  await addEvent(
    tx,
    job,
    "standby",
    `${issuer.name} failed ${issuerFailures} times; ${standby.name} is asked instead`,
  );
  await recordAudit(tx, system, {
    action: "standby_issuer_used",
    resourceType: "certificate",
    resourceId: certificateId,
    details: { job_id: job.id, issuer_id: issuer.id, standby_issuer_id: standby.id, step, message },
  });
  const error = `${step}: ${message}`;
  await raiseEvent(
    tx,
    { type: "StandbyUsed", certificateId, issuerName: issuer.name, standbyName: standby.name, error },
    now,
  );
  await advance(tx, await tx.job.findUniqueOrThrow({ where: { id: job.id } }));
  return true;
}

/** Why the issuer may have signed already, or still will: then nobody else is asked for the same key. */
async function commitment(
  tx: Transaction,
  { issuerKinds }: StandbyDeps,
  issuer: IssuerRow,
  keyId: string,
): Promise<string | null> {
  const order = await tx.issuerOrder.findUnique({
    where: { issuerId_keyId: { issuerId: issuer.id, keyId } },
  });
  if (!order || order.state === null) return null;
  const connector = issuerKinds.get(issuer.kind);
  // Of an issuer that does not tell, an order that waits at the CA may be signed any time.
  const isCommitted = connector?.isCommitted?.(order.state as JsonObject) ?? order.reference !== "";
  return isCommitted ? `${issuer.name} may have signed already` : null;
}

/** Why the standby cannot sign this certificate, or is not to. */
async function objection(
  tx: Transaction,
  { issuerKinds, reserved, clock }: StandbyDeps,
  { id, name, kind, config, enabled, archivedAt }: IssuerRow,
  certificateId: string,
): Promise<string | null> {
  if (archivedAt) return `${name} is archived`;
  if (!enabled) return `${name} is disabled`;
  const connector = issuerKinds.get(kind);
  if (!connector) return `this server knows no issuer of the kind ${kind}`;
  const certificate = await tx.managedCertificate.findUniqueOrThrow({ where: { id: certificateId } });
  const refusal = connector.refuses(
    certificate,
    maskSecrets(config as JsonObject),
    await refusalContext(tx, reserved, id),
  );
  if (refusal) return refusal.description;
  return issuerRefusal(tx, { certificateId, issuerId: id, now: clock() });
}
