import type { JsonObject } from "@bufbuild/protobuf";
import type { AskAgent } from "../challenges/ask-agent.ts";
import { challengesOf } from "../challenges/keep.ts";
import {
  type Issued,
  type IssueRequest,
  type Issuer,
  type IssuerContext,
  IssuerError,
  type Order,
  type Ordered,
} from "../issuers/issuer.ts";
import type { IssuerKinds } from "../issuers/manage.ts";
import { orderBudget } from "../issuers/order-budget.ts";
import { recordIssuance } from "../issuers/record.ts";
import { issuerTools, type ToolDeps } from "../issuers/tools.ts";
import { addEvent, type JobRef, notifyChange } from "../jobs/transition.ts";
import type { Database } from "../platform/database.ts";

/** A job that an issuer is asked for. */
export type AskedJob = JobRef & { agentId: string };

/** Throws IssuerError for an issuer that signs nothing. */
export function requireIssuer(
  issuerKinds: IssuerKinds,
  { id, kind, enabled }: { id: string; kind: string; enabled: boolean },
): Issuer {
  const issuer = issuerKinds.get(kind);
  if (!issuer)
    throw new IssuerError("issuer", `this server knows no issuer of the kind ${kind}`, "Configuration");
  if (!enabled) throw new IssuerError("issuer", `issuer ${id} is disabled`, "Configuration");
  return issuer;
}

/** What an issuer is lent for a job. No order is kept in it. */
export function issuanceContext(
  deps: ToolDeps & { db: Database; askAgent: AskAgent },
  job: AskedJob,
  issuerId: string,
  signal: AbortSignal,
): IssuerContext {
  const { db, askAgent, clock } = deps;
  const { id: jobId, agentId } = job;
  return {
    ...issuerTools(deps, issuerId, signal),
    jobId,
    order: noOrder,
    budget: orderBudget(db, issuerId, clock),
    challenges: challengesOf(db, { issuerId, jobId, agentId }, clock),
    askAgent: (what, challenge) => askAgent(what, challenge, signal),
    progress: (step, message) => addProgress(db, job, step, message),
    record: (keyId, next) => recordIssuance(db, { jobId, keyId }, next),
  };
}

/** What an issuer signs that keeps no order. */
export async function askAtOnce(
  issuer: Issuer,
  request: IssueRequest,
  config: JsonObject,
  context: IssuerContext,
): Promise<Issued> {
  const answer = await issuer.issue(request, config, context);
  if (isOrdered(answer)) throw new Error(`an issuer of the kind ${issuer.kind} signs at once or not at all`);
  return answer;
}

export function isOrdered(answer: Issued | Ordered): answer is Ordered {
  return "pollAfterMs" in answer;
}

const noOrder: Order = {
  read: async () => null,
  async write() {
    throw new Error("an issuer that keeps no order wrote one");
  },
};

async function addProgress(db: Database, job: AskedJob, step: string, message: string): Promise<void> {
  await db.$transaction(async (tx) => {
    await addEvent(tx, job, step, message);
    await notifyChange(tx, job);
  });
}
