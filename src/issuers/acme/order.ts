import { X509Certificate } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Authorization, Order as CaOrder } from "acme-client";
import { readCsr } from "../../x509/csr.ts";
import { spkiOf } from "../../x509/keys.ts";
import { pem } from "../../x509/pem.ts";
import { type Issued, type IssueRequest, type IssuerContext, IssuerError, type Ordered } from "../issuer.ts";
import { accountFailure, openAccount } from "./account.ts";
import { answerChallenge, authorizationState } from "./authorize.ts";
import { readChain } from "./chain.ts";
import type { AcmeConfig } from "./config.ts";
import type { AcmeConnection } from "./connection.ts";
import { placeOrder } from "./place.ts";
import { AcmeFailure, problemText, readProblem } from "./problem.ts";
import { type Solver, solverOf } from "./solver.ts";
import { closeOrder, type OrderState, type PlacedOrder, readState, storedState } from "./state.ts";

/** So long an order is waited for at a stretch; then the job is left and taken up again. */
const patienceMs = 25_000;
const firstPauseMs = 200;
const mostPauseMs = 5_000;

interface Work {
  request: IssueRequest;
  config: AcmeConfig;
  context: IssuerContext;
  connection: AcmeConnection;
  solver: Solver;
  /** As it is stored. */
  state: OrderState;
}

/**
 * Orders a certificate, or goes on with the order that its state names: whatever the CA says of it decides what is next, so that
 * an order is finalized once, whenever the process ended. Throws IssuerError.
 */
export async function issueByAcme(
  request: IssueRequest,
  config: AcmeConfig,
  context: IssuerContext,
): Promise<Issued | Ordered> {
  const connection = await openAccount(config, context);
  const solver = solverOf(config, context);
  const state = readState(await context.order.read());
  const work: Work = { request, config, context, connection, solver, state };
  try {
    const answer = await perform(work);
    if (!("pollAfterMs" in answer)) await clearChallenges(work);
    return answer;
  } catch (error) {
    if (!context.signal.aborted) await clearChallenges(work);
    throw await accountFailure("order", error, connection, context);
  }
}

async function perform(work: Work): Promise<Issued | Ordered> {
  const { context, connection } = work;
  if (!work.state.open) {
    const placed = await placeOrder(work.request, work.config, context, connection);
    await store(work, { ...work.state, open: placed });
  }
  const until = Date.now() + patienceMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, mostPauseMs)) {
    const order = await look(work);
    const done = await step(work, order);
    if (done) return done;
    const waitMs = Math.max(pauseMs, connection.retryAfterMs() ?? 0);
    if (Date.now() + waitMs > until)
      return { reference: order.url, pollAfterMs: waitMs, message: waitingFor(work, order) };
    await delay(waitMs, undefined, { signal: context.signal });
  }
}

/** What the CA says of the open order, stored. */
async function look(work: Work): Promise<CaOrder> {
  const { connection, state } = work;
  const open = requireOpen(state);
  try {
    const order = await connection.client.getOrder({ url: open.url } as CaOrder);
    const { error } = order as { error?: unknown };
    const authorizations =
      order.status === "pending" || order.status === "invalid" ? await authorizationsOf(work, order) : null;
    await store(work, {
      ...state,
      open: {
        ...open,
        status: order.status,
        problem: error ? readProblem(error) : null,
        authorizations: authorizations?.map(authorizationState) ?? open.authorizations,
      },
    });
    return order;
  } catch (error) {
    if (!(error instanceof AcmeFailure) || error.status !== 404) throw error;
    await store(work, closeOrder({ ...state, open: { ...open, status: "unknown", problem: error.problem } }));
    throw new IssuerError("order", `the CA knows order ${open.url} no more: ${error.message}`, "Network");
  }
}

async function authorizationsOf({ connection }: Work, order: CaOrder): Promise<Authorization[]> {
  return connection.client.getAuthorizations(order);
}

/** Takes an order as far as it goes now; null: there is something to wait for. */
async function step(work: Work, order: CaOrder): Promise<Issued | null> {
  const { context, connection, config, request } = work;
  switch (order.status) {
    case "pending": {
      const authorizations = await authorizationsOf(work, order);
      for (const authorization of authorizations) await answerChallenge(authorization, work);
      return null;
    }
    case "ready": {
      const open = requireOpen(work.state);
      if (!open.isFinalizing) {
        await store(work, { ...work.state, open: { ...open, isFinalizing: true } });
        await context.progress("validated", request.sans.join(", "));
      }
      await connection.client.finalizeOrder(order, pem("CERTIFICATE REQUEST", request.csr));
      return null;
    }
    case "valid": {
      const chain = await connection.client.getCertificate(order, config.preferred_chain || undefined);
      return ownCertificate(readChain(chain, config.root), request);
    }
    case "invalid":
      throw await refused(work);
    default:
      return null;
  }
}

/** The order's certificate has the job's key: another order's certificate would be of no use. */
function ownCertificate(issued: Issued, { csr }: IssueRequest): Issued {
  const spki = spkiOf(new X509Certificate(issued.leafDer).publicKey);
  if (spki.equals(readCsr(csr).spki)) return issued;
  throw new IssuerError("download", "the order's certificate is of another key than the job's", "Refused");
}

/** Closes an order that the CA gave up, and says why: by its failed challenges, else in its own words. */
async function refused(work: Work): Promise<IssuerError> {
  const open = requireOpen(work.state);
  const failed = open.authorizations.flatMap(({ identifier, isWildcard, challenges }) =>
    challenges
      .filter(({ status }) => status === "invalid")
      .map(({ type, problem }) => {
        const words = problem ? `${problem.type}: ${problemText(problem)}` : "the CA did not say why";
        return `${type} for ${isWildcard ? "*." : ""}${identifier}: ${words}`;
      }),
  );
  await store(work, closeOrder(work.state));
  await work.context.budget.release(work.request.keyId);
  if (failed.length > 0) return new IssuerError("challenge", failed.join("; "), "Refused");
  const problem = open.problem;
  return new IssuerError(
    "order",
    problem ? `${problem.type}: ${problemText(problem)}` : "the order is invalid",
    "Refused",
  );
}

function waitingFor({ state }: Work, order: CaOrder): string {
  if (order.status !== "pending") return `the CA has the order as ${order.status}`;
  const names = requireOpen(state)
    .authorizations.filter(({ status }) => status === "pending")
    .map(({ identifier, isWildcard }) => (isWildcard ? `*.${identifier}` : identifier));
  return `the CA validates ${names.join(", ")}`;
}

/** What cannot be taken away now is taken away by the sweep. */
async function clearChallenges({ context, solver }: Work): Promise<void> {
  for (const challenge of await context.challenges.kept()) {
    const isCleared = await solver.clear(challenge).then(
      () => true,
      () => false,
    );
    if (isCleared) await context.challenges.forget(challenge.id);
  }
}

async function store(work: Work, state: OrderState): Promise<void> {
  const next = storedState(state);
  if (JSON.stringify(next) === JSON.stringify(storedState(work.state))) return;
  await work.context.order.write(next);
  work.state = state;
}

function requireOpen({ open }: OrderState): PlacedOrder {
  if (!open) throw new Error("no order is open");
  return open;
}
